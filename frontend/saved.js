import api from "/api.js";
import { actionButton, askName, confirm, menu, openDialog, shownOnce, toast } from "/dialogs.js";
import { byId, make, on, setText } from "/dom.js";
import { count, countVideos, date } from "/format.js";
import { navigate, pageUrl, searchParams } from "/router.js";
import { isGuest } from "/session.js";

// On a phone they stand below each other.
const SHOWN = matchMedia("(max-width: 40rem)").matches ? 3 : 6;

let searches = [];
let request = null;
let showAll = false;
// The search that the search view shows; null if there is nothing to save.
let current = null;

const saveButton = byId("save-search");

export function setUp() {
	on(saveButton, "click", save);
	on(byId("saved-more"), "click", () => {
		showAll = true;
		render();
		byId("saved-title").focus();
	});
}

export function clear() {
	request?.abort();
	searches = [];
	showAll = false;
	render();
}

/** Only the newest request counts: the last one may still be repeated. */
export async function load() {
	request?.abort();
	request = new AbortController();
	({ searches } = await api.searches(request.signal));
	render();
}

const searchUrl = ({ query }) => pageUrl(query);

const newUrl = ({ query, id }) => pageUrl(`${query}&new_in=${id}`);

function render() {
	// First those that say something.
	const sorted = [...searches].sort((a, b) => Boolean(b.new || b.notice) - Boolean(a.new || a.notice));
	const shown = showAll ? sorted : sorted.slice(0, SHOWN);
	byId("saved").hidden = !searches.length;
	byId("saved-list").replaceChildren(...shown.map(row));
	byId("saved-more").hidden = shown.length === sorted.length;
	setText(byId("saved-more"), `Show all ${sorted.length}`);
}

function row(search) {
	const { title, total, new: added, new_since: since, notice } = search;
	const key = `saved:${search.id}`;
	const summary = make("summary.round", { "aria-label": `Actions for ${title}` }, "⋯");
	const actions = menu(summary, { Feed: showFeed, Rename: rename, Delete: remove }, (act) => {
		// The menu closes. When the dialog closes, too, the focus comes back here.
		summary.focus();
		act(search);
	});
	const badge = make("a.badge", { href: newUrl(search), "data-key": `${key}:new` }, `${count(added)} new`);
	const facts = added ? [badge, make("span", `since ${date(since)}`)] : [make("span", `${countVideos(total)}, nothing new`)];
	return make(
		"li",
		make("a.name", { href: searchUrl(search), "data-key": key }, title),
		actions,
		make("p.quiet", ...facts.flatMap((each) => [each, " "])),
		notice && make("p.quiet.notice", notice),
	);
}

/** What was focused is gone. */
async function changed(message) {
	toast(message);
	await api.attempt(load, toast);
	byId(searches.length ? "saved-title" : "library-title").focus();
}

/** `params`: of the search whose results are shown; null without results. */
export function showSearch(params) {
	current = params && searchParams(params);
	const newIn = current?.get("new_in");
	saveButton.hidden = Boolean(newIn) || isGuest();
	// Not `hidden`, so that nothing beside it moves.
	saveButton.style.visibility = current ? "" : "hidden";
	saveButton.disabled = false;
	setText(saveButton, "Save search");
	const note = byId("found-new");
	const search = newIn && searches.find(({ id }) => id === newIn);
	note.hidden = !search;
	if (search) note.replaceChildren(...newNote(search));
}

function newNote(search) {
	const { title, new: added, new_since: since, id, checked_at: checkedAt } = search;
	const all = make("a", { href: searchUrl(search) }, "Show all results");
	if (!added) return [`Nothing is new in “${title}”.`, all];
	const seen = actionButton(".plain", "Mark as seen", async () => {
		await api.markSeen(id, checkedAt);
		toast("These are not new any more.");
		navigate(searchUrl(search));
	}, toast);
	return [`New in “${title}” since ${date(since)}.`, seen, all];
}

async function save() {
	const sent = current;
	saveButton.disabled = true;
	await api.attempt(async () => {
		const { title } = await api.saveSearch(String(sent));
		// Another search may be shown meanwhile.
		if (current === sent) setText(saveButton, "Saved");
		toast(`“${title}” is saved. Your library shows when there is something new.`);
	}, (message) => {
		saveButton.disabled = false;
		toast(message);
	});
}

async function rename({ id, title }) {
	const before = { value: title, maxlength: 100 };
	if (await askName("Rename the saved search", "Rename", before, (name) => api.renameSearch(id, name))) await changed("The search is renamed.");
}

async function remove({ id, title, feed }) {
	const effect = feed ? "Its feed ends, too. Your library stays as it is." : "Your library stays as it is.";
	if (!(await confirm(`Delete the saved search “${title}”?`, effect, "Delete"))) return;
	await api.attempt(async () => {
		await api.deleteSearch(id);
		await changed("The search is deleted.");
	}, toast);
}

function showFeed(search) {
	let made = null;
	openDialog(`Feed of “${search.title}”`, (show) => {
		const open = actionButton(search.feed ? ".soft" : "", search.feed ? "New address" : "Make an address", async () => {
			made = await api.openFeed(search.id);
			search.feed = { created_at: new Date().toISOString() };
			await show();
		}, toast);
		const close = actionButton(".soft", "End the feed", async () => {
			await api.closeFeed(search.id);
			made = search.feed = null;
			toast("The feed is ended. Its address does not work any more.");
			await show();
		}, toast);
		const about = "A feed reader tells you when there is something new. Whoever has the address can read the feed.";
		const since = search.feed && `There is a feed since ${date(search.feed.created_at)}. Its address was shown once; a new one replaces it.`;
		return [
			make("p", about),
			...shownOnce(made && { Atom: made.url, JSON: made.json_url }),
			!made && since && make("p.quiet", since),
			make("p.dialog-actions", search.feed && close, !made && open),
		];
	});
}
