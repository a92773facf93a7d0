// The user: signed in by a session cookie, which scripts cannot read, or by an API token.

const KEY = "yts-token";

export const token = () => sessionStorage.getItem(KEY);

export const setToken = (text) => sessionStorage.setItem(KEY, text.trim());

/** Removes `#token=…` from the URL, where it could be copied or stay in the history. True if there was one. */
export function takeTokenFromUrl() {
	const found = new URLSearchParams(location.hash.slice(1)).get("token");
	if (!found) return false;
	setToken(found);
	history.replaceState(history.state, "", location.pathname + location.search);
	return true;
}

/** The profile of GET /api/me; null while signed out. */
export let me = null;

export const setMe = (profile) => (me = profile);

export function clear() {
	me = null;
	sessionStorage.removeItem(KEY);
}
