// The user: signed in by a session cookie, which scripts cannot read, or by an API token. Or a guest, who has the
// token of a read-only link.

const KEY = "yts-token";

export const token = () => sessionStorage.getItem(KEY);

export const setToken = (text) => sessionStorage.setItem(KEY, text.trim());

export const isGuest = () => Boolean(token()?.startsWith("yts_link_"));

/** Removes `#token=…` or `#link=…` from the URL, where it could stay in the history. True if there was one. */
export function takeTokenFromUrl() {
	const params = new URLSearchParams(location.hash.slice(1));
	const found = params.get("token") ?? params.get("link");
	if (!found) return false;
	setToken(found);
	history.replaceState(history.state, "", location.pathname + location.search);
	return true;
}

/** The profile of GET /api/me, or for a guest the answer of GET /api/link; null while signed out. */
export let me = null;

export const setMe = (profile) => (me = profile);

export function clear() {
	me = null;
	sessionStorage.removeItem(KEY);
}
