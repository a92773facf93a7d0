// The page: who is here, what the address asks for, and the keys that work everywhere.

import * as api from "/api.js";
import * as connection from "/connection.js";
import * as dialogs from "/dialogs.js";
import { busy, byId, on, say } from "/dom.js";
import * as job from "/job.js";
import * as jobs from "/jobs.js";
import * as library from "/library.js";
import * as router from "/router.js";
import * as box from "/search-box.js";
import * as search from "/search.js";
import * as session from "/session.js";
import * as settings from "/settings.js";
import * as watch from "/watch.js";

const VIEWS = { library, search, watch, job, settings };
const FAILURES = {
	denied: "Google was told no: nothing was shared.",
	missing_scope: "Without your YouTube playlists there is nothing to show. Please tick that box.",
	expired: "Signing in took too long. Try again.",
	failed: "Signing in did not work. Try again.",
};

let view = null;

async function show() {
	const { view: wanted, parameters } = router.here();
	if (session.me === null) return;
	if (view === "watch") watch.hide();
	const changed = view !== null && view !== wanted;
	view = wanted;
	turnTo(`view-${wanted}`);
	for (const link of document.querySelectorAll("[data-view]")) {
		link.ariaCurrent = link.dataset.view === wanted ? "page" : null;
	}
	const typing = document.activeElement === byId("q");
	if (wanted !== "search") box.put(parameters.get("q") ?? "");
	await busy(VIEWS[wanted].show(parameters));
	// Whoever follows a link hears where it led, and goes on from there.
	if (changed && !typing && document.activeElement === document.body) {
		byId(`view-${wanted}`).querySelector("h1")?.focus({ preventScroll: true });
	}
}

function turnTo(id) {
	for (const section of byId("content").children) section.hidden = section.id !== id;
	byId("search").hidden = byId("nav").hidden = id === "view-welcome";
}

function welcome(message) {
	session.become(null);
	session.forget();
	watch.hide();
	library.forget();
	search.forget();
	jobs.forget();
	view = null;
	const parameters = new URLSearchParams(location.search);
	const failure = parameters.get("signin");
	if (failure) {
		parameters.delete("signin");
		history.replaceState(null, "", parameters.size ? `/?${parameters}` : "/");
	}
	byId("sign-in").href = `/api/login?${new URLSearchParams({ next: location.pathname + location.search })}`;
	document.title = "yts · search what was said";
	turnTo("view-welcome");
	say(byId("welcome-error"), message || (failure ? (FAILURES[failure] ?? FAILURES.failed) : ""));
}

function refused() {
	if (session.token()) say(byId("token-error"), "This token is not, or no longer, valid.");
	byId("with-token").open = Boolean(session.token());
	// Of several requests that are refused, the first one tells.
	if (!byId("view-welcome").hidden) return session.forget();
	welcome(session.me && !session.token() ? "Your session has ended. Sign in to go on." : "");
}

async function open() {
	say(byId("token-error"), "");
	session.become(null);
	try {
		session.become(await busy(api.me()));
	} catch (error) {
		if (!(error instanceof api.ApiError)) throw error;
		if (error.status !== 401) welcome(error.message);
		return;
	}
	const { name, email, user_id: id } = session.me;
	say(byId("person"), [...(name || email || id)][0].toUpperCase());
	show();
}

function keys(event) {
	if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || session.me === null) return;
	if (event.target.closest?.("input, textarea, select, dialog")) return;
	if (settings.keysOff() && event.key !== "Escape") return;
	if (event.key === "/") box.focus();
	else if (event.key === "?") dialogs.help();
	else if (view !== "watch" || !watch.key(event.key)) return;
	event.preventDefault();
}

api.onRefused(refused);
for (const each of [connection, dialogs, library, job, search]) each.setUp();
settings.setUp({ onLeave: welcome });
jobs.onChange(({ title, playlist_id: id, state, counts }, ended) => {
	if (!ended) return;
	const trouble = counts.failed ? `, ${counts.failed} failed` : "";
	dialogs.toast(`${title ?? id}: ${state}${trouble}`);
	search.jobEnded();
});
on(document, "keydown", keys);
on(byId("unlock"), "submit", (event) => {
	event.preventDefault();
	session.keep(byId("token").value);
	byId("token").value = "";
	open();
});
router.setUp(() => {
	// Another address in this same tab may bring a token.
	if (session.takeFromAddress()) open();
	else show();
});
session.takeFromAddress();
open();
