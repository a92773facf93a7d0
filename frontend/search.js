import api from "/api.js";
import { exportMenu as makeExportMenu, syntaxRows } from "/dialogs.js";
import { button, byId, make, on, rovingTabindex, setText, withBusyBar } from "/dom.js";
import * as filters from "/filters.js";
import { countVideos } from "/format.js";
import { hitElement } from "/hits.js";
import { anyActive } from "/jobs.js";
import { currentView, isReturning, navigate, pageUrl, restorePosition, searchParams, state, updateState } from "/router.js";
import * as saved from "/saved.js";
import * as box from "/search-box.js";
import { isGuest } from "/session.js";

const PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 50;

let request = null;
// The query string of the results on the page; null if they must be fetched again.
let shown = null;
let cursor = null;

const hits = byId("hits");
const playlistOrder = make("option", { value: "playlist" }, "Playlist order");
const exportMenu = makeExportMenu(() => shown, {
	"Spreadsheet (CSV)": ["searchFile", "csv", "search.csv"],
	"JSON Lines": ["searchFile", "jsonl", "search.jsonl"],
});
exportMenu.id = "export";
const links = () => [...hits.querySelectorAll("[data-key]")];

export function setUp() {
	box.setUp({ onSearch: searchFor, onDown: () => links()[0]?.focus() });
	filters.setUp({ onChange: refine });
	rovingTabindex(hits, links, box.focus);
	on(byId("more"), "click", () => showMore(true));
	on(byId("sort"), "change", ({ target }) => refine((params) => params.set("sort", target.value)));
	byId("save-search").after(exportMenu);
	// The margin loads the next page before the end is reached.
	const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && showMore(false), { rootMargin: "800px" });
	observer.observe(byId("more"));
}

function searchFor(q, typing) {
	const { view, params } = currentView();
	const searching = view === "search";
	if (searching && (params.get("q") ?? "") === q.trim()) {
		if (!typing) updateState({ typing });
		return;
	}
	const next = searching ? params : new URLSearchParams();
	next.set("q", q.trim());
	// A query is one history entry, not one per letter.
	navigate(pageUrl(searchParams(next)), { replace: searching && state().typing, typing });
}

function refine(change) {
	const next = searchParams(currentView().params);
	if (!next.has("q")) next.set("q", "");
	change(next);
	if (next.get("sort") === "playlist" && next.getAll("playlist").length !== 1) next.delete("sort");
	navigate(pageUrl(searchParams(next)));
}

export async function show(params) {
	const wanted = searchParams(params);
	const q = wanted.get("q") ?? "";
	box.setQuery(q);
	showSort(wanted);
	document.title = `${q || "Search"} · yts`;
	if (String(wanted) === shown && isReturning()) return restorePosition();
	request?.abort();
	shown = String(wanted);
	const shownBefore = state().shown ?? 0;
	if (shown === "q=") render(null, wanted);
	else {
		// Before the search: what is found after this answer is not shown as new, and not marked as seen.
		if (wanted.has("new_in")) await api.attempt(saved.load);
		if (shown !== String(wanted)) return;
		const answer = await fetchPage(wanted, Math.max(Math.min(shownBefore, MAX_PAGE_SIZE), PAGE_SIZE));
		if (!answer) return;
		render(answer, wanted);
		while (hits.children.length < shownBefore && (await showMore(false)));
	}
	restorePosition();
}

/** The order of a playlist is there only if one is chosen. */
function showSort(params) {
	if (params.getAll("playlist").length === 1) byId("sort").append(playlistOrder);
	else playlistOrder.remove();
	byId("sort").value = params.get("sort") ?? "relevance";
}

export function clear() {
	request?.abort();
	shown = null;
	hits.replaceChildren();
}

/** The job may have indexed what was not found before. */
export function handleJobEnd() {
	if (currentView().view !== "search" || shown === "q=" || hits.children.length) return;
	shown = null;
	show(currentView().params);
}

/** True if there were more results. `focus`: go to the first of them. */
async function showMore(focus) {
	if (!cursor || request) return false;
	const params = new URLSearchParams(shown);
	const answer = await withBusyBar(fetchPage(params, PAGE_SIZE, cursor));
	if (!answer) return false;
	const added = answer.hits.map((hit) => hitElement(hit, params.get("q")));
	hits.append(...added);
	updateState({ shown: hits.children.length });
	if (focus) added[0]?.querySelector("[data-key]").focus();
	return added.length > 0;
}

/** One page. Null if another search replaced it, or if it failed and the error is shown. */
async function fetchPage(params, limit, from = "") {
	request?.abort();
	const own = (request = new AbortController());
	const asked = new URLSearchParams(params);
	asked.set("limit", limit);
	asked.set("cursor", from);
	let answer = null;
	await api.attempt(async () => (answer = await api.search(asked, own.signal)), (message) => {
		shown = null; // so that the same search can be repeated
		render(null, params, message);
	});
	if (request === own) {
		request = null;
		setCursor(answer?.cursor);
	}
	return answer;
}

function setCursor(next) {
	cursor = next;
	byId("more").hidden = !cursor;
}

/** Without an answer, shows the error or the search syntax. */
function render(answer, params, error = "") {
	const q = params.get("q") ?? "";
	const elements = answer?.hits.map((hit) => hitElement(hit, q)) ?? [];
	const hadFocus = hits.contains(document.activeElement);
	hits.replaceChildren(...elements);
	const [first] = links();
	if (first) first.tabIndex = 0;
	// The focused result was replaced.
	if (hadFocus) first?.focus({ preventScroll: true });
	setText(byId("found-error"), error);
	byId("found-status").replaceChildren(answer ? make("strong", answer.total ? countVideos(answer.total) : "Nothing found") : "");
	// Not `hidden`, so that nothing beside it moves.
	exportMenu.style.visibility = elements.length && !isGuest() ? "" : "hidden";
	saved.showSearch(answer && params);
	const note = byId("found-note");
	note.replaceChildren(...(answer?.notices ?? []).map((text) => make("p", text)));
	const correction = answer?.did_you_mean;
	if (correction) note.append("Did you mean ", queryButton(correction), "?");
	note.hidden = !note.childNodes.length;
	filters.show(answer?.facets, params);
	const empty = byId("found-nothing");
	empty.hidden = Boolean(error || elements.length);
	if (!answer) setCursor(null);
	if (!empty.hidden) empty.replaceChildren(...(answer ? tips(q) : syntaxHelp()));
}

const queryButton = (q) => button(".plain", q, () => searchFor(q, false));

function tips(q) {
	const items = [];
	if (filters.anyInUse()) items.push([button(".plain", "Search without the filters", () => refine(filters.clear))]);
	const words = q.split(/\s+/);
	if (words.length > 1) items.push(["Any of the words: ", queryButton(words.join(" OR ").replaceAll('"', ""))]);
	else items.push(["Words that begin with it: ", queryButton(`${q}*`)], ["Similar words: ", queryButton(`${q}~`)]);
	if (anyActive()) items.push(["Wait: a playlist is still being indexed."]);
	if (!isGuest()) items.push([make("a", { href: "/" }, "See your indexed playlists")]);
	return [
		make("h2", q ? `No results for “${q}”` : "No video matches these filters"),
		make("p", "yts searched titles, descriptions and transcripts. You could try:"),
		make("ul.tips", ...items.map((item) => make("li", ...item))),
	];
}

const syntaxHelp = () => [
	make("h2", "How to search"),
	syntaxRows(),
	make("p", make("a", { href: "/?sort=newest" }, "All videos, newest first")),
];
