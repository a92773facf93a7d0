// Who is here: a session cookie that scripts never see, or an API token of a local run.

const KEY = "yts-token";

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

export let me = null;

export const become = (person) => (me = person);
