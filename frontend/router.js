// The address decides what is shown: `/` the library, `/?q=…` a search, `/?v=…` a video, `/?job=…`, `/?settings`.
// All of it is in the query, so that any server of files serves the page.

import { on } from "/dom.js";

const SEARCH = ["q", "playlist", "channel", "language", "after", "before", "min_minutes", "max_minutes", "in", "sort"];

let show = () => {};
let saving = 0;
// The state of an address that was come back to, until its place is found again: meanwhile the page is
// shorter than it was, and where it is scrolled to says nothing. Null at a new address.
let coming = history.state ?? {};

export const address = (parameters) => `/?${new URLSearchParams(parameters)}`;

export function setUp(render) {
	show = render;
	// Results come later than the browser would scroll to them.
	history.scrollRestoration = "manual";
	addEventListener("popstate", (event) => {
		coming = event.state ?? {};
		show();
	});
	addEventListener("scroll", () => {
		clearTimeout(saving);
		saving = setTimeout(() => coming || remember({ y: scrollY }), 150);
	}, { passive: true });
	on(document, "click", follow);
}

export function here() {
	const parameters = new URLSearchParams(location.search);
	for (const [name, view] of [["v", "watch"], ["job", "job"], ["settings", "settings"]]) {
		if (parameters.has(name)) return { view, parameters };
	}
	return { view: SEARCH.some((name) => parameters.has(name)) ? "search" : "library", parameters };
}

/** What is kept with this entry of the history: `y`, `focus`, `shown`, `typing`, `play`. */
export const state = () => history.state ?? {};

export function remember(more) {
	history.replaceState({ ...state(), ...more }, "");
}

export function go(to, { replace = false, ...kept } = {}) {
	clearTimeout(saving);
	coming = null;
	if (!replace) remember({ y: scrollY });
	history[replace ? "replaceState" : "pushState"](kept, "", to);
	show();
}

export function searchParameters(parameters) {
	const kept = new URLSearchParams();
	for (const name of SEARCH) {
		for (const value of parameters.getAll(name)) if (value || name === "q") kept.append(name, value);
	}
	return kept;
}

/** Whether one comes back: what is still there need not be asked for again. */
export const returning = () => coming !== null;

export function comeBack() {
	scrollTo(0, coming?.y ?? 0);
	// It comes into view, too: what is above may have had another height.
	if (coming?.focus) document.querySelector(`main [data-key="${CSS.escape(coming.focus)}"]`)?.focus();
	coming = null;
}

function follow(event) {
	const link = event.target.closest?.("a[href]");
	if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
	if (link.origin !== location.origin || link.pathname !== "/" || link.target || link.hash || link.download) return;
	event.preventDefault();
	if (link.dataset.key) remember({ focus: link.dataset.key });
	const play = link.hasAttribute("data-play");
	go(link.getAttribute("href"), { ...(play ? { play } : {}), from: location.search });
}
