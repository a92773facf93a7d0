// The search view: what is asked for stands in the address, what was found below it.

import * as api from "/api.js";
import { save, syntaxRows, toast } from "/dialogs.js";
import { attempt, byId, button, make, roving, say } from "/dom.js";
import * as filters from "/filters.js";
import { count, videos } from "/format.js";
import { hitElement } from "/hits.js";
import { isActive, jobs } from "/jobs.js";
import { comeBack, go, here, remember, returning, searchParameters, state } from "/router.js";
import * as box from "/search-box.js";

const PAGE = 20;
const MOST_A_PAGE = 50;
// What is there at once needs no sign that it is being waited for.
const PATIENCE_MS = 200;
const NOTHING = { playlists: [], channels: [], languages: [], years: [] };

let running = null;
// What the hits on the page answer, and how to go on.
let shown = null;
let cursor = null;

const hits = () => byId("hits");
const items = () => [...hits().querySelectorAll("[data-key]")];

export function setUp() {
	box.setUp({ onSearch: asked, onDown: () => items()[0]?.focus() });
	filters.setUp({ onChange: refined });
	roving(hits(), items, box.focus);
	byId("more").addEventListener("click", () => more(true));
	byId("sort").addEventListener("change", ({ target }) => {
		refined((parameters) => parameters.set("sort", target.value === "relevance" ? "" : target.value));
	});
	byId("export").addEventListener("click", ({ target }) => target.dataset.format && exportAll(target.dataset.format));
	// The list goes on before its end is reached.
	const ahead = { rootMargin: "800px" };
	new IntersectionObserver(([entry]) => entry.isIntersecting && more(false), ahead).observe(byId("more"));
}

/** From the box: a query, in a new search or in the one that is on the screen. */
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
	go(`/?${searchParameters(next)}`, { replace: searching && state().typing, typing });
}

/** The same query with other filters or in another order: `change` is given the parameters. */
function refined(change) {
	const next = searchParameters(here().parameters);
	if (!next.has("q")) next.set("q", "");
	change(next);
	go(`/?${searchParameters(next)}`);
}

/** Shows the search of an address: at once if its hits are still there. */
export async function show(parameters) {
	const wanted = searchParameters(parameters);
	const q = wanted.get("q") ?? "";
	box.put(q);
	byId("sort").value = wanted.get("sort") ?? "relevance";
	document.title = `${q || "Search"} · yts`;
	if (String(wanted) === shown && returning()) return comeBack();
	running?.abort();
	shown = String(wanted);
	if (shown === "q=") {
		found(null, wanted);
		return comeBack();
	}
	const known = state().shown ?? 0;
	const answer = await ask(wanted, Math.max(Math.min(known, MOST_A_PAGE), PAGE));
	if (!answer) return;
	found(answer, wanted);
	while (hits().children.length < known && (await more(false)));
	comeBack();
}

/** Somebody else may come, or what was found may be gone. */
export function forget() {
	running?.abort();
	shown = null;
	hits().replaceChildren();
}

/** What was not found before may be found when a job has ended. */
export function jobEnded() {
	if (here().view !== "search" || shown === "q=" || hits().children.length) return;
	shown = null;
	show(here().parameters);
}

/** One more page; whether there was one. */
async function more(focus) {
	if (!cursor || running) return false;
	const parameters = new URLSearchParams(shown);
	const answer = await ask(parameters, PAGE, cursor);
	if (!answer) return false;
	const added = answer.hits.map((hit) => hitElement(hit, parameters.get("q")));
	hits().append(...added);
	remember({ shown: hits().children.length });
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
	const waiting = setTimeout(() => (byId("busy").hidden = false), PATIENCE_MS);
	let answer = null;
	try {
		await attempt(async () => (answer = await api.search(asked, mine.signal)), (message) => {
			shown = null; // the same words may be asked again
			found(null, parameters, message);
		});
		return answer;
	} catch (error) {
		if (!mine.signal.aborted) throw error;
		return null;
	} finally {
		clearTimeout(waiting);
		if (running === mine) {
			running = null;
			byId("busy").hidden = true;
			cursor = answer?.cursor;
			byId("more").hidden = !cursor;
		}
	}
}

/** Puts an answer on the page, all at once; without one, why, or what could be asked for. */
function found(answer, parameters, error = "") {
	const q = parameters.get("q") ?? "";
	const elements = answer?.hits.map((hit) => hitElement(hit, q)) ?? [];
	if (elements[0]) elements[0].querySelector("[data-key]").tabIndex = 0;
	hits().replaceChildren(...elements);
	say(byId("found-error"), error);
	const time = answer && make("span", { class: "took", "aria-hidden": "true" }, ` in ${count(answer.took_ms)} ms`);
	const total = answer && make("strong", {}, answer.total ? videos(answer.total) : "Nothing found");
	byId("found-status").replaceChildren(total ?? "", time ?? "");
	const note = byId("found-note");
	note.replaceChildren(...(answer?.notices ?? []).map((text) => `${text} `));
	const better = answer?.did_you_mean;
	if (better) note.append("Did you mean ", query(better), "?");
	note.hidden = !note.childNodes.length;
	filters.show(answer?.facets ?? NOTHING, parameters);
	const empty = byId("found-nothing");
	empty.hidden = Boolean(error || elements.length);
	if (!answer) {
		cursor = null;
		byId("more").hidden = true;
	}
	if (!empty.hidden) empty.replaceChildren(...(answer ? nothing(q) : start()));
}

const query = (q) => button(q, () => asked(q, false), { class: "plain", dir: "auto" });

function nothing(q) {
	const tips = [];
	if (filters.inUse()) tips.push([button("Search without the filters", () => refined(filters.clear), { class: "plain" })]);
	const words = q.split(/\s+/);
	if (words.every((word) => /^[\p{L}\p{N}]+$/u.test(word))) {
		if (words.length > 1) tips.push(["Any of the words: ", query(words.join(" OR "))]);
		else tips.push(["Its beginning: ", query(`${q}*`)], ["Words like it: ", query(`${q}~`)]);
	} else tips.push(["Use fewer words, or leave out quotation marks: all that stands there has to be found."]);
	if (jobs().some(isActive)) tips.push(["Wait: a playlist is still being read, and can be searched as it arrives."]);
	tips.push([make("a", { href: "/" }, "Look at what is indexed")]);
	return [
		make("h2", { dir: "auto" }, q ? `No video has “${q}”` : "No video is like this"),
		make("p", {}, "Titles, descriptions and everything said in your playlists were searched. You could try:"),
		make("ul", { class: "tips" }, ...tips.map((tip) => make("li", {}, ...tip))),
	];
}

const start = () => [
	make("h2", {}, "What to ask for"),
	make("dl", { class: "syntax" }, ...syntaxRows()),
	make("p", {}, make("a", { href: "/?sort=newest" }, "Look through everything, newest first")),
];

async function exportAll(format) {
	toast("The export is being made …");
	await attempt(async () => {
		await save(api.file(`/api/search/export?${shown}&format=${format}`), `search.${format}`);
		toast("The export is saved: every hit, with every moment.");
	}, toast);
}
