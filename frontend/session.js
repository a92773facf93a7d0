// Who is here: a session cookie that scripts never see, or an API token of a local run.

const KEY = "yts-token";

/** The API token, from the address once, then kept in this tab only; null with a cookie. */
export const token = () => sessionStorage.getItem(KEY);

export const keep = (text) => sessionStorage.setItem(KEY, text.trim());

export const forget = () => sessionStorage.removeItem(KEY);

/** Takes `#token=…` out of the address, where it would be copied and kept in the history; whether it was there. */
export function takeFromAddress() {
	const given = new URLSearchParams(location.hash.slice(1)).get("token");
	if (!given) return false;
	keep(given);
	history.replaceState(history.state, "", location.pathname + location.search);
	return true;
}

/** What `GET /api/me` answered; null before, and for nobody. */
export let me = null;

export function become(person) {
	me = person;
}

/** Where signing in begins; it comes back to where one is, or to `next`. */
export const signInAddress = (next) => `/api/login?${new URLSearchParams({ next })}`;
