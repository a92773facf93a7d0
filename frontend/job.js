import api from "/api.js";
import { actionButton, confirm, toast } from "/dialogs.js";
import { byId, make, on, setText, showView, youtubeLink } from "/dom.js";
import { count, countOf, countVideos, megabytes, sentences } from "/format.js";
import * as jobs from "/jobs.js";
import { problemText, progressBar, speedText, stateText } from "/progress.js";
import { currentView, pageUrl } from "/router.js";

const COUNTS = { indexed: "indexed", no_transcript: "no captions", unavailable: "unavailable", failed: "failed", pending: "to do" };
const LISTS = [
	["failed", "Failed", "You can retry these videos."],
	["unavailable", "Unavailable", "YouTube does not play these videos for us. Those that others can watch are searchable by title and description."],
	["no_transcript", "Without captions", "Searchable by title and description. Each refresh looks for captions again."],
];
// A usual price of residential proxies: dollars per gigabyte.
const PROXY_PRICE = 4;

let view = null;

export function setUp() {
	jobs.onChange((job) => view?.id === job.job_id && currentView().view === "job" && view.update(job));
}

export async function show(params) {
	const id = params.get("job");
	const render = (...content) => showView("job", "Indexing", make("a", { href: "/" }, "All playlists"), ...content);
	if (view?.id !== id) render();
	await api.attempt(async () => {
		const job = await api.job(id);
		jobs.put(job);
		if (view?.id !== id) {
			view = createView(id);
			render(view.element);
		}
		view.update(job);
	}, (message) => {
		view = null;
		render(make("p.error", { role: "alert" }, message));
	});
}

function createView(id) {
	const bar = progressBar();
	const state = make("p.job-state");
	const [speed, cost] = [make("p.quiet"), make("p.quiet")];
	const problem = make("p.error", { role: "status" });
	const searchable = make("span");
	const searchLink = make("a", "Search these videos");
	const note = make("p.note", searchable, " ", searchLink);
	const numbers = Object.entries(COUNTS).map(([name, label]) => [name, make(`div.${name}`, make("dt", label), make("dd"))]);
	const numberList = make("dl.numbers", ...numbers.map(([, element]) => element));
	const lists = LISTS.map((each) => videoList(id, ...each));
	const showProblem = (message) => setText(problem, message);
	const cancel = actionButton(".soft", "Cancel", async () => {
		const text = "Indexed videos stay searchable. You can refresh the playlist later to index the rest.";
		if (await confirm("Cancel indexing?", text, "Cancel indexing")) jobs.put(await api.cancelJob(id));
	}, showProblem);
	const retry = actionButton(".soft", "Retry failed", async () => {
		jobs.put(await api.retryJob(id));
		toast("Retrying the failed videos.");
	}, showProblem);
	const element = make(
		"div.job",
		make("div.job-line", state, speed),
		bar.element,
		problem,
		numberList,
		note,
		cost,
		make("p.acts", retry, cancel),
		...lists.map((each) => each.element),
	);

	function update(job) {
		const { counts, playlist_id: playlist } = job;
		const active = jobs.isActive(job);
		setText(byId("job-title"), job.title ?? playlist);
		document.title = `${stateText(job)} · yts`;
		bar.update(job);
		setText(state, stateText(job));
		setText(speed, speedText(job));
		setText(problem, problemText(job));
		for (const [name, each] of numbers) {
			setText(each.lastChild, count(counts[name]));
			each.classList.toggle("none", !counts[name]);
			if (name === "pending") {
				setText(each.firstChild, active ? "to do" : "not indexed");
				each.hidden = !active && !counts.pending;
			}
		}
		// A job that failed before it listed a video has no progress.
		numberList.hidden = bar.element.hidden = !active && !job.total;
		const found = counts.indexed + counts.no_transcript;
		note.hidden = !found;
		const more = active ? " already. You can close this tab; indexing continues." : ".";
		setText(searchable, `${countOf(found, "video is", "videos are")} searchable${more}`);
		searchLink.href = pageUrl({ playlist });
		setText(cost, job.total === 0 ? "The playlist is empty." : costText(job));
		cancel.hidden = !active;
		retry.hidden = active || !counts.failed;
		for (const each of lists) each.update(counts);
	}

	return { id, element, update };
}

function costText({ reused, youtube_bytes: bytes }) {
	const dollars = Math.max((bytes / 1e9) * PROXY_PRICE, 0.01).toFixed(2);
	return sentences(reused && `${countVideos(reused)} already stored, not fetched again`,
		bytes && `${megabytes(bytes)} from YouTube; a paid proxy would cost about $${dollars}`);
}

function videoList(job, state, title, meaning) {
	const summary = make("summary");
	const list = make("ul");
	const loaded = new Set();
	let total = 0;
	let loading = false;
	const open = state === "failed";
	const element = make("details.problems", { "data-state": state, open }, summary, make("p.quiet", meaning), list);
	on(element, "toggle", load);

	function update(counts) {
		if (counts[state] < total) {
			loaded.clear();
			list.replaceChildren();
		}
		total = counts[state];
		element.hidden = !total;
		setText(summary, `${title} (${count(total)})`);
		load();
	}

	/** Only appends, so that the list does not move while somebody reads it. */
	async function load() {
		const wanted = total;
		if (loading || !element.open || loaded.size >= wanted) return;
		loading = true;
		await api.attempt(async () => {
			for (let cursor = null, page; !page || cursor; cursor = page.cursor) {
				page = await api.jobVideos(job, state, cursor);
				if (total < wanted) return;
				const added = page.videos.filter(({ video_id: id }) => !loaded.has(id));
				for (const { video_id: id } of added) loaded.add(id);
				list.append(...added.map((video) => videoItem(video, state)));
			}
		}, (message) => list.append(make("li.error", message)));
		loading = false;
		if (wanted !== total) load();
	}

	return { element, update };
}

function videoItem({ video_id: id, title, reason, attempts }, state) {
	// The reason of a failed video includes the number.
	const tries = attempts > 1 && state !== "failed" ? ` (tried ${count(attempts)} times)` : "";
	return make("li", { "data-video-id": id }, youtubeLink(id, title || id), make("span.reason", (reason ?? "") + tries));
}
