// The search view: what is asked for stands in the address, what was found below it.

import * as api from "/api.js";
import { save, syntaxRows, toast } from "/dialogs.js";
import { busy, button, byId, make, on, roving, say } from "/dom.js";
import * as filters from "/filters.js";
import { videos } from "/format.js";
import { hitElement } from "/hits.js";
import { anyActive } from "/jobs.js";
import { address, comeBack, go, here, remember, returning, searchParameters, state } from "/router.js";
import * as box from "/search-box.js";

const PAGE = 20;
const MOST_A_PAGE = 50;

let running = null;
let shown = null;
let cursor = null;

const hits = byId("hits");
const items = () => [...hits.querySelectorAll("[data-key]")];

export function setUp() {
	box.setUp({ onSearch: asked, onDown: () => items()[0]?.focus() });
	filters.setUp({ onChange: refined });
	roving(hits, items, box.focus);
	on(byId("more"), "click", () => more(true));
	on(byId("sort"), "change", ({ target }) => refined((parameters) => parameters.set("sort", target.value)));
	on(byId("export"), "click", ({ target }) => target.dataset.format && exportAll(target.dataset.format));
	const ahead = { rootMargin: "800px" };
	new IntersectionObserver(([entry]) => entry.isIntersecting && more(false), ahead).observe(byId("more"));
}

function asked(q, typing) {
	const { view, parameters } = here();
	const searching = view === "search";
	if (searching && (parameters.get("q") ?? "") === q.trim()) {
		if (!typing) remember({ typing });
		return;
	}
	const next = searching ? parameters : new URLSearchParams();
	next.set("q", q.trim());
	// While one types there is one entry in the history, not one for each letter.
	go(address(searchParameters(next)), { replace: searching && state().typing, typing });
}

function refined(change) {
	const next = searchParameters(here().parameters);
	if (!next.has("q")) next.set("q", "");
	change(next);
	go(address(searchParameters(next)));
}

export async function show(parameters) {
	const wanted = searchParameters(parameters);
	const q = wanted.get("q") ?? "";
	box.put(q);
	byId("sort").value = wanted.get("sort") ?? "relevance";
	document.title = `${q || "Search"} · yts`;
	if (String(wanted) === shown && returning()) return comeBack();
	running?.abort();
	shown = String(wanted);
	const known = state().shown ?? 0;
	if (shown === "q=") found(null, wanted);
	else {
		const answer = await ask(wanted, Math.max(Math.min(known, MOST_A_PAGE), PAGE));
		if (!answer) return;
		found(answer, wanted);
		while (hits.children.length < known && (await more(false)));
	}
	comeBack();
}

export function forget() {
	running?.abort();
	shown = null;
	hits.replaceChildren();
}

export function jobEnded() {
	if (here().view !== "search" || shown === "q=" || hits.children.length) return;
	shown = null;
	show(here().parameters);
}

async function more(focus) {
	if (!cursor || running) return false;
	const parameters = new URLSearchParams(shown);
	const answer = await busy(ask(parameters, PAGE, cursor));
	if (!answer) return false;
	const added = answer.hits.map((hit) => hitElement(hit, parameters.get("q")));
	hits.append(...added);
	remember({ shown: hits.children.length });
	if (focus) added[0]?.querySelector("[data-key]").focus();
	return added.length > 0;
}

/** One page of hits; null if another search took its place, or it failed, which is said. */
async function ask(parameters, limit, from = "") {
	running?.abort();
	const mine = (running = new AbortController());
	const asked = new URLSearchParams(parameters);
	asked.set("limit", limit);
	asked.set("cursor", from);
	let answer = null;
	try {
		await api.attempt(async () => (answer = await api.search(asked, mine.signal)), (message) => {
			shown = null; // the same words may be asked again
			found(null, parameters, message);
		});
	} catch (error) {
		if (!mine.signal.aborted) throw error;
	}
	if (running === mine) {
		running = null;
		goOn(answer?.cursor);
	}
	return answer;
}

function goOn(from) {
	cursor = from;
	byId("more").hidden = !cursor;
}

/** Puts an answer on the page, all at once; without one, why, or what could be asked for. */
function found(answer, parameters, error = "") {
	const q = parameters.get("q") ?? "";
	const elements = answer?.hits.map((hit) => hitElement(hit, q)) ?? [];
	const within = hits.contains(document.activeElement);
	hits.replaceChildren(...elements);
	const [first] = items();
	if (first) first.tabIndex = 0;
	// Another answer comes while one is among the hits of the last.
	if (within) first?.focus({ preventScroll: true });
	say(byId("found-error"), error);
	byId("found-status").replaceChildren(answer ? make("strong", answer.total ? videos(answer.total) : "Nothing found") : "");
	// It keeps its room: nothing beside it moves.
	byId("export").style.visibility = elements.length ? "" : "hidden";
	const note = byId("found-note");
	note.replaceChildren(...(answer?.notices ?? []).map((text) => `${text} `));
	const better = answer?.did_you_mean;
	if (better) note.append("Did you mean ", query(better), "?");
	note.hidden = !note.childNodes.length;
	filters.show(answer?.facets, parameters);
	const empty = byId("found-nothing");
	empty.hidden = Boolean(error || elements.length);
	if (!answer) goOn(null);
	if (!empty.hidden) empty.replaceChildren(...(answer ? nothing(q) : start()));
}

const query = (q) => button(".plain", q, () => asked(q, false));

function nothing(q) {
	const tips = [];
	if (filters.inUse()) tips.push([button(".plain", "Search without the filters", () => refined(filters.clear))]);
	const words = q.split(/\s+/);
	if (words.length > 1) tips.push(["Any of the words: ", query(words.join(" OR ").replaceAll('"', ""))]);
	else tips.push(["Its beginning: ", query(`${q}*`)], ["Words like it: ", query(`${q}~`)]);
	if (anyActive()) tips.push(["Wait: a playlist is still being read, and can be searched as it arrives."]);
	tips.push([make("a", { href: "/" }, "Look at what is indexed")]);
	return [
		make("h2", q ? `No video has “${q}”` : "No video is like this"),
		make("p", "Titles, descriptions and everything said in your playlists were searched. You could try:"),
		make("ul.tips", ...tips.map((tip) => make("li", ...tip))),
	];
}

const start = () => [
	make("h2", "What to ask for"),
	make("dl.syntax", ...syntaxRows()),
	make("p", make("a", { href: "/?sort=newest" }, "Everything, newest first")),
];

const exportAll = (format) =>
	api.attempt(async () => {
		await save(api.file(`/api/search/export?${shown}&format=${format}`), `search.${format}`);
		toast("The export is saved: every hit, with every moment.");
	}, toast);
