import api from "/api.js";
import { exportMenu as makeExportMenu, syntaxRows } from "/dialogs.js";
import { button, byId, fill, make, on, rovingTabindex, setText, withBusyBar } from "/dom.js";
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
// Below a question, so many hits with some of its words come before the list by meaning.
const FOLDED_SIZE = 3;
const TYPING_PAUSE_MS = 400;

let request = null;
// The query string of the results on the page; null if they must be fetched again.
let shown = null;
let cursor = null;

const hits = byId("hits");
const playlistOrder = make("option", { value: "playlist" }, "Playlist order");
const HITS = {
	"Spreadsheet (CSV)": ["searchFile", "csv", "search.csv"],
	"JSON Lines": ["searchFile", "jsonl", "search.jsonl"],
};
const exportMenu = makeExportMenu(() => shown, HITS);
exportMenu.id = "export";
const results = byId("results");
const offered = byId("by-meaning");
const links = () => [...results.querySelectorAll("[data-key]")];
const isByMeaning = (params) => params.get("by") === "meaning";
const meaningModule = () => import("/meaning.js");
// Cancels the request for the list by meaning.
let offerRequest = null;
let moveTabStop = () => {};
// Results of a question that wait for “Show more”, so that the list below them is seen.
let folded = [];

export function setUp() {
	box.setUp({ onSearch: searchFor, onDown: () => links()[0]?.focus() });
	filters.setUp({ onChange: refine });
	moveTabStop = rovingTabindex(results, links, box.focus);
	on(results, "click", ({ target }) => {
		const word = target.closest("[data-require]")?.dataset.require;
		if (word) refine((params) => params.append("require", word));
	});
	on(byId("by"), "click", searchBy);
	on(byId("more"), "click", () => showMore(true));
	on(byId("sort"), "change", ({ target }) => refine((params) => params.set("sort", target.value)));
	byId("save-search").after(exportMenu);
	// The margin loads the next page before the end is reached.
	const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && offered.hidden && showMore(false), { rootMargin: "800px" });
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
	next.delete("require");
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

async function searchBy({ target }) {
	if (target.ariaPressed !== "false") return;
	const { meaningParams } = await meaningModule();
	const params = searchParams(currentView().params);
	if (target.value) return navigate(pageUrl(meaningParams(params)));
	params.delete("by");
	navigate(pageUrl(params));
}

export async function show(params) {
	const wanted = searchParams(params);
	const q = wanted.get("q") ?? "";
	box.setQuery(q);
	showSort(wanted);
	document.title = `${q || "Search"} · yts`;
	if (String(wanted) === shown && isReturning()) return restorePosition();
	request?.abort();
	offerRequest?.abort();
	shown = String(wanted);
	const { shown: shownBefore = 0, focus } = state();
	if (shown === "q=" || (!q && isByMeaning(wanted))) render(null, wanted);
	else {
		// Before the search: what is found after this answer is not shown as new, and not marked as seen.
		if (wanted.has("new_in")) await api.attempt(saved.load);
		const meaning = isByMeaning(wanted) && (await meaningModule());
		if (shown !== String(wanted)) return;
		const answer = await fetchPage(wanted, Math.max(Math.min(shownBefore, MAX_PAGE_SIZE), PAGE_SIZE));
		if (!answer) return;
		render(answer, wanted, meaning);
		const offering = offerMeaning(wanted);
		while (hits.children.length < shownBefore && (await showMore(false)));
		// Words do not wait, but a result that is returned to has to be there.
		if (isReturning() && focus?.startsWith("meaning:")) await offering;
		if (shown !== String(wanted)) return;
	}
	restorePosition();
}

/** The order of a playlist is there only if one is chosen. */
function showSort(params) {
	if (params.getAll("playlist").length === 1) byId("sort").append(playlistOrder);
	else playlistOrder.remove();
	byId("sort").value = params.get("sort") ?? "relevance";
	// Not `hidden`, so that nothing beside it moves.
	byId("sort").style.visibility = isByMeaning(params) ? "hidden" : "";
	for (const each of byId("by").children) each.ariaPressed = each.value === (params.get("by") ?? "");
}

export function clear() {
	request?.abort();
	offerRequest?.abort();
	shown = null;
	for (const each of [hits, offered]) each.replaceChildren();
}

/** The job may have indexed what was not found before. */
export function handleJobEnd() {
	if (currentView().view !== "search" || shown === "q=" || hits.children.length) return;
	shown = null;
	show(currentView().params);
}

/** True if there were more results. `focus`: go to the first of them. */
async function showMore(focus) {
	if (request) return false;
	let added = folded;
	if (!added.length) {
		if (!cursor) return false;
		const params = new URLSearchParams(shown);
		const answer = await withBusyBar(fetchPage(params, PAGE_SIZE, cursor));
		if (!answer) return false;
		added = answer.hits.map((hit) => hitElement(hit, params.get("q")));
	}
	fold([]);
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
	asked.set("limit", isByMeaning(params) ? MAX_PAGE_SIZE : limit);
	if (from) asked.set("cursor", from);
	let answer = null;
	await api.attempt(async () => (answer = await api.search(asked, own.signal)), (message) => {
		shown = null; // so that the same search can be repeated
		render(null, params, null, message);
	});
	if (request === own) {
		request = null;
		cursor = answer?.cursor;
		fold(folded);
	}
	return answer;
}

function fold(elements) {
	folded = elements;
	byId("more").hidden = !cursor && !folded.length;
}

/** Without an answer, shows the error or the search syntax. `meaning`: its module, for a search by meaning. */
function render(answer, params, meaning, error = "") {
	const q = params.get("q") ?? "";
	const options = { lost: answer?.missing };
	const elements = answer?.hits.map((hit) => (meaning ? meaning.passageHit(hit, q) : hitElement(hit, q, options))) ?? [];
	const total = answer?.total || elements.length;
	const some = answer?.match === "some_words";
	if (!answer) cursor = null;
	showOffer(answer?.meaning, params);
	// An answer by meaning comes at once, and is shown page by page.
	fold(elements.splice(some && !offered.hidden ? FOLDED_SIZE : meaning ? PAGE_SIZE : Infinity));
	const hadFocus = hits.contains(document.activeElement);
	hits.replaceChildren(...elements);
	showTabStop();
	// The focused result was replaced.
	if (hadFocus) links()[0]?.focus({ preventScroll: true });
	setText(byId("found-error"), error);
	const how = some ? " with some words" : meaning ? " by meaning" : "";
	// A note says why nothing is searched by meaning.
	const searched = !meaning || answer?.meaning.state === "on";
	// Places with some words have one page.
	const best = some && total > answer.hits.length ? `The best ${answer.hits.length} of ` : "";
	byId("found-status").replaceChildren(answer ? make("strong", total ? best + countVideos(total) + how : searched ? "Nothing found" : "Not searched") : "");
	exportMenu.style.visibility = elements.length && !meaning && !isGuest() ? "" : "hidden";
	// Only videos that have all words are exported whole.
	for (const choice of exportMenu.querySelectorAll("button")) choice.hidden = some && !(choice.textContent in HITS);
	saved.showSearch(meaning ? null : answer && params);
	showNote(answer ?? {}, [some && requireHint(answer), meaning && answer && meaning.stateText(answer.meaning)]);
	fill(byId("found-end"), meaning && answer && meaning.languagesNote(answer.meaning));
	filters.show(answer?.facets, params);
	const empty = byId("found-nothing");
	empty.hidden = Boolean(error || elements.length);
	if (!empty.hidden) empty.replaceChildren(...(answer ? tips(q, params, searched) : isByMeaning(params) ? meaningHelp() : syntaxHelp()));
}

function showTabStop() {
	const [first] = links();
	if (first) moveTabStop(first);
}

function showNote({ notices = [], did_you_mean: correction, match }, more) {
	const note = byId("found-note");
	note.replaceChildren(...[...notices, ...more].filter(Boolean).map((text) => make("p", text)));
	if (correction) note.append("Did you mean ", queryButton(correction), "?");
	note.classList.toggle("some", match === "some_words");
	note.hidden = !note.childNodes.length;
}

/** The switch, and below the words of a question the place of the list by meaning. */
function showOffer({ state: power = "off", offer } = {}, params) {
	const off = !params.get("q") || power === "off";
	byId("by").hidden = off && !isByMeaning(params);
	offered.hidden = off || !offer || ["by", "in", "new_in"].some((name) => params.has(name));
	if (offered.hidden) offered.replaceChildren();
}

function requireHint({ hits: found, missing = [] }) {
	const lost = missing.length && `No place has ${missing.map((word) => `“${word}”`).join(" or ")}.`;
	const usable = found.some((hit) => hit.missing?.some((word) => !missing.includes(word)));
	return [lost, usable && "Choose a missing word below to require it."].filter(Boolean).join(" ");
}

/** The list by meaning below the words of a question. */
async function offerMeaning(params) {
	if (offered.hidden) return;
	const { signal } = (offerRequest = new AbortController());
	if (state().typing) await new Promise((resolve) => setTimeout(resolve, TYPING_PAUSE_MS));
	const { offer } = await meaningModule();
	if (signal.aborted) return;
	const found = await offer(offered, params, signal);
	if (signal.aborted || !found) return;
	if (!hits.children.length) return showTabStop();
	byId("found-status").append(" · ", button(".plain", `${found} by meaning, below`, () => byId("by-meaning-title").focus()));
}

const queryButton = (q) => button(".plain", q, () => searchFor(q, false));

function tips(q, params, searched) {
	const items = [];
	const byMeaning = isByMeaning(params);
	const other = byId("by").children[byMeaning ? 0 : 1];
	if (filters.anyInUse()) items.push([button(".plain", "Search without the filters", () => refine(filters.clear))]);
	if (!byId("by").hidden && offered.hidden) items.push([button(".plain", `Search by ${byMeaning ? "words" : "meaning"}`, () => other.click())]);
	const words = byMeaning ? [] : q.split(/\s+/);
	if (words.length > 1) items.push(["Any of the words: ", queryButton(words.join(" OR ").replaceAll('"', ""))]);
	if (words.length === 1) items.push(["Words that begin with it: ", queryButton(`${q}*`)], ["Similar words: ", queryButton(`${q}~`)]);
	if (anyActive()) items.push(["Wait: a playlist is still being indexed."]);
	if (!isGuest()) items.push([make("a", { href: "/" }, "See your indexed playlists")]);
	const where = byMeaning ? "what the transcripts mean" : "titles, descriptions and transcripts";
	return [
		make("h2", q ? `No results for “${q}”` : "No video matches these filters"),
		make("p", `${searched ? `yts searched ${where}. ` : ""}You could try:`),
		make("ul.tips", ...items.map((item) => make("li", ...item))),
	];
}

const meaningHelp = () => [
	make("h2", "Search by meaning"),
	make("p", "Ask a question, or say in your own words what was said. The passages need not have these words."),
];

const syntaxHelp = () => [
	make("h2", "How to search"),
	syntaxRows(),
	make("p", make("a", { href: "/?sort=newest" }, "All videos, newest first")),
];
