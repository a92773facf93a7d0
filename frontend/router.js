// The URL decides which view is shown: `/` the library, `/?q=…` a search, `/?v=…` a video, `/?job=…` and so on.
// All of it is in the query string, so that any static file server will do.

import { hasModifier, on } from "/dom.js";

const SEARCH = "q playlist channel language after before min_minutes max_minutes in sort added_after new_in require by".split(" ");
const VIEWS = "v job settings operator collection subscriptions takeout clips".split(" ");

let showView = () => {};
let scrollTimer = 0;
// The state to restore once the content has loaded; until then, scrolling is not saved. Null for a new entry.
let restoring = history.state ?? {};

export const pageUrl = (params) => `/?${new URLSearchParams(params)}`;

/**
 * `t`: a second or the exact start of a line; `line`: its number, because lines may start together. `more`: `until`,
 * the second up to which lines are marked, and `by`, how the video was found.
 */
export const videoUrl = (v, q, t, line, more) =>
	pageUrl(Object.entries({ v, t, line, q, ...more }).filter(([, value]) => (value ?? "") !== ""));

export function setUp(show) {
	showView = show;
	// The browser would scroll before the results arrive.
	history.scrollRestoration = "manual";
	addEventListener("popstate", (event) => {
		restoring = event.state ?? {};
		showView();
	});
	addEventListener("scroll", () => {
		clearTimeout(scrollTimer);
		scrollTimer = setTimeout(() => restoring || updateState({ y: scrollY }), 150);
	}, { passive: true });
	on(document, "click", followLink);
}

export function currentView() {
	const params = new URLSearchParams(location.search);
	for (const name of VIEWS) if (params.has(name)) return { view: name === "v" ? "watch" : name, params };
	return { view: SEARCH.some((name) => params.has(name)) ? "search" : "library", params };
}

/** `y`, `focus`, `shown` (results), `typing`, `play` and `from` (the query string before) of this history entry. */
export const state = () => history.state ?? {};

export function updateState(changes) {
	history.replaceState({ ...state(), ...changes }, "");
}

export function navigate(url, { replace = false, ...newState } = {}) {
	clearTimeout(scrollTimer);
	restoring = null;
	if (!replace) updateState({ y: scrollY });
	history[replace ? "replaceState" : "pushState"](newState, "", url);
	showView();
}

/** The parameters of a search only. An empty `q` is kept: it shows the search view. */
export function searchParams(params) {
	const kept = new URLSearchParams();
	for (const name of SEARCH) {
		for (const value of params.getAll(name)) if (value || name === "q") kept.append(name, value);
	}
	return kept;
}

/** True after Back or Forward: a view that is still on the page can be reused. */
export const isReturning = () => restoring !== null;

export function restorePosition() {
	scrollTo(0, restoring?.y ?? 0);
	// Focusing also scrolls, in case the content above has another height now.
	if (restoring?.focus) document.querySelector(`main [data-key="${CSS.escape(restoring.focus)}"]`)?.focus();
	restoring = null;
}

function followLink(event) {
	const link = event.target.closest?.("a[href]");
	if (!link || event.defaultPrevented || event.button || hasModifier(event)) return;
	if (link.origin !== location.origin || link.pathname !== "/" || link.target || link.hash || link.download) return;
	event.preventDefault();
	if (link.dataset.key) updateState({ focus: link.dataset.key });
	navigate(link.href, { play: "play" in link.dataset, from: location.search });
}
