// Starts the page, shows the view of the URL, and handles keyboard shortcuts.

import api, { onUnauthorized } from "/api.js";
import * as connection from "/connection.js";
import * as dialogs from "/dialogs.js";
import { byId, make, on, setText, withBusyBar } from "/dom.js";
import * as job from "/job.js";
import * as jobs from "/jobs.js";
import * as library from "/library.js";
import * as router from "/router.js";
import * as saved from "/saved.js";
import * as box from "/search-box.js";
import * as search from "/search.js";
import * as session from "/session.js";
import * as settings from "/settings.js";
import * as watch from "/watch.js";

// Few people need these, so they are loaded when they are opened.
const lazy = (load) => ({ show: async (params) => (await load()).show(params) });
const VIEWS = {
	library, search, watch, job, settings,
	operator: lazy(() => import("/operator.js")),
	collection: lazy(() => import("/collections.js")),
	subscriptions: lazy(() => import("/subscriptions.js")),
	takeout: lazy(() => import("/takeout.js")),
	clips: lazy(() => import("/clips.js")),
};
const SIGN_IN_ERRORS = {
	denied: "You did not allow access at Google. Nothing was shared.",
	missing_scope: "yts needs to see your YouTube playlists. Sign in again and tick that box.",
	expired: "Signing in took too long. Try again.",
	failed: "Signing in did not work. Try again.",
	not_allowed: "This account may not use this site. Sign in with another one, or ask the operator to admit it.",
	nobody_allowed: "Nobody may use this site yet. Its operator has to set the variable ALLOWED_USERS.",
	suspended: "The operator has suspended this account. Ask the operator why.",
};

for (const name of ["job", "settings", "operator", "collection", "subscriptions", "takeout", "clips"]) {
	byId("content").append(make("section.wrap.narrow", { id: `view-${name}`, hidden: true }));
}
let view = null;

async function show() {
	const { view: wanted, params } = router.currentView();
	if (session.me === null) return;
	if (view === "watch") watch.hide();
	// A guest has no library: the beginning is the list of all videos of the source.
	if (session.isGuest() && wanted !== "search" && wanted !== "watch") {
		return router.navigate("/?sort=newest", { replace: true });
	}
	const changed = view !== null && view !== wanted;
	view = wanted;
	showSection(`view-${wanted}`);
	for (const link of document.querySelectorAll("[data-view]")) {
		link.ariaCurrent = link.dataset.view === wanted ? "page" : null;
	}
	const typing = document.activeElement === byId("q");
	if (wanted !== "search") box.setQuery(params.get("q") ?? "");
	await withBusyBar(VIEWS[wanted].show(params));
	// A search waits for its results, and a video begins at its top.
	if (wanted !== "search" && wanted !== "watch") router.restorePosition();
	// Screen readers then announce the new view, and Tab continues there.
	if (changed && !typing && document.activeElement === document.body) {
		byId(`view-${wanted}`).querySelector("h1")?.focus({ preventScroll: true });
	}
}

function showSection(id) {
	for (const section of byId("content").children) section.hidden = section.id !== id;
	const welcome = id === "view-welcome";
	byId("search").hidden = welcome;
	byId("nav").hidden = welcome || session.isGuest();
	byId("guest").hidden = welcome || !session.isGuest();
}

function showWelcome(message) {
	watch.hide();
	for (const each of [session, library, search, saved, jobs]) each.clear();
	view = null;
	const params = new URLSearchParams(location.search);
	const failure = params.get("signin");
	if (failure) {
		params.delete("signin");
		history.replaceState(null, "", params.size ? `/?${params}` : "/");
	}
	byId("sign-in").href = `/api/login?${new URLSearchParams({ next: location.pathname + location.search })}`;
	document.title = "yts · search YouTube transcripts";
	showSection("view-welcome");
	setText(byId("welcome-error"), message || (failure ? (SIGN_IN_ERRORS[failure] ?? SIGN_IN_ERRORS.failed) : ""));
}

function handleUnauthorized() {
	if (session.isGuest()) {
		session.clear();
		return showWelcome("This link does not work any more. Ask for a new one where you got it.");
	}
	if (session.token()) setText(byId("token-error"), "This token is not valid. Check it, or create a new one.");
	byId("with-token").open = Boolean(session.token());
	// Of several refused requests, only the first shows a message.
	if (!byId("view-welcome").hidden) return session.clear();
	showWelcome(session.me && !session.token() ? "Your session has ended. Sign in to continue." : "");
}

async function start() {
	setText(byId("token-error"), "");
	session.setMe(null);
	await api.attempt(async () => {
		session.setMe(await withBusyBar(session.isGuest() ? api.link() : api.me()));
		const { name, email, user_id: id, title } = session.me;
		if (session.isGuest()) showGuest(title);
		else setText(byId("person"), [...(name || email || id)][0].toUpperCase());
		show();
	}, (message, status) => status !== 401 && showWelcome(message));
}

function showGuest(title) {
	setText(byId("guest-source"), title);
	// A link may be published where search engines find it. What it shows is not for them.
	document.head.append(make("meta", { name: "robots", content: "noindex" }));
}

function handleKey(event) {
	if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || session.me === null) return;
	if (event.target.closest?.("input, textarea, select, dialog")) return;
	if (settings.shortcutsOff() && event.key !== "Escape") return;
	if (event.key === "/") box.focus();
	else if (event.key === "?") dialogs.showHelp();
	else if (view !== "watch" || !watch.handleKey(event.key)) return;
	event.preventDefault();
}

onUnauthorized(handleUnauthorized);
for (const each of [connection, dialogs, library, job, search, saved]) each.setUp();
on(byId("guest-leave"), "click", () => {
	session.clear();
	location.href = "/";
});
settings.setUp({ onSignOut: showWelcome });
jobs.onChange(({ title, playlist_id: id, state, counts }, ended) => {
	if (!ended) return;
	const failures = counts.failed ? `, ${counts.failed} failed` : "";
	dialogs.toast(`${title ?? id}: ${state}${failures}`);
	search.handleJobEnd();
});
on(document, "keydown", handleKey);
on(byId("results"), "click", async ({ target }) => {
	const { id, title } = target.closest(".save")?.dataset ?? {};
	if (id) (await import("/collections.js")).save(id, title);
});
on(byId("unlock"), "submit", (event) => {
	event.preventDefault();
	session.setToken(byId("token").value);
	byId("token").value = "";
	start();
});
router.setUp(() => {
	// A URL opened in this tab may bring another token.
	if (session.takeTokenFromUrl()) start();
	else show();
});
session.takeTokenFromUrl();
start();
