// The view of one job: every count, the step it is in, and what went wrong with which video.

import * as api from "/api.js";
import { confirmed, toast } from "/dialogs.js";
import { button, byId, heading, make, on, say, youtubeLink } from "/dom.js";
import { count, many, megabytes, videos } from "/format.js";
import * as jobs from "/jobs.js";
import { progressBar, speedInWords, stateInWords, troubleInWords } from "/progress.js";
import { address, comeBack, here } from "/router.js";

const COUNTS = [["indexed", "indexed"], ["no_transcript", "no captions"], ["unavailable", "unavailable"], ["failed", "failed"], ["pending", "to go"]];
const LISTS = [
	["failed", "Failed", "They can be tried again."],
	["unavailable", "Unavailable", "YouTube does not show these."],
	["no_transcript", "Without captions", "Found by title and description; looked at again with each refresh."],
];
// Dollars: what residential proxies ask for, by the gigabyte.
const PROXY_PRICE = 4;

let shown = null;

export function setUp() {
	jobs.onChange((job) => shown?.id === job.job_id && here().view === "job" && shown.update(job));
}

export async function show(parameters) {
	const id = parameters.get("job");
	const put = (...content) => {
		const top = make("div.heading", heading("job-title", "Indexing"), make("a", { href: "/" }, "All playlists"));
		byId("view-job").replaceChildren(top, ...content);
	};
	document.title = "Indexing · yts";
	if (shown?.id !== id) put();
	await api.attempt(async () => {
		const job = await api.job(id);
		jobs.put(job);
		if (shown?.id !== id) {
			shown = viewOf(id);
			put(shown.element);
		}
		shown.update(job);
		comeBack();
	}, (message) => {
		shown = null;
		put(make("p.error", { role: "alert" }, message));
	});
}

function viewOf(id) {
	const bar = progressBar();
	const state = make("p.job-state");
	const [speed, cost] = ["p.quiet", "p.quiet"].map((what) => make(what));
	const trouble = make("p.error", { role: "status" });
	const searchable = make("span");
	const link = make("a", "Search in them");
	const note = make("p.note", searchable, " ", link);
	const numbers = COUNTS.map(([name, title]) => [name, make(`div.${name}`, make("dt", title), make("dd"))]);
	const list = make("dl.numbers", ...numbers.map(([, each]) => each));
	const problems = LISTS.map((each) => problemsOf(id, ...each));
	const cancel = control("Cancel", async () => {
		const text = "What is indexed stays searchable. The rest is left out until you refresh the playlist.";
		if (await confirmed("Cancel indexing?", text, "Cancel indexing")) jobs.put(await api.cancelJob(id));
	});
	const retry = control("Retry failed", async () => {
		jobs.put(await api.retryJob(id));
		toast("The failed videos are tried again.");
	});
	const element = make(
		"div.job",
		make("div.job-line", state, speed),
		bar.element,
		trouble,
		list,
		note,
		cost,
		make("p.acts", retry, cancel),
		...problems.map((each) => each.element),
	);

	function update(job) {
		const { counts, playlist_id: playlist } = job;
		const active = jobs.isActive(job);
		say(byId("job-title"), job.title ?? playlist);
		document.title = `${stateInWords(job)} · yts`;
		bar.update(job);
		say(state, stateInWords(job));
		say(speed, speedInWords(job));
		say(trouble, troubleInWords(job));
		for (const [name, each] of numbers) {
			say(each.lastChild, count(counts[name]));
			each.classList.toggle("none", !counts[name]);
			if (name === "pending") {
				say(each.firstChild, active ? "to go" : "left out");
				each.hidden = !active && !counts.pending;
			}
		}
		// What failed before anything was listed has no progress.
		list.hidden = bar.element.hidden = !active && !job.total;
		const found = counts.indexed + counts.no_transcript;
		note.hidden = !found;
		const already = active ? " already. You can close this tab: it goes on." : ".";
		say(searchable, `${many(found, "video is", "videos are")} searchable${already}`);
		link.href = address({ playlist });
		say(cost, job.total === 0 ? "The playlist is empty." : costInWords(job));
		cancel.hidden = !active;
		retry.hidden = active || !counts.failed;
		for (const each of problems) each.update(counts);
	}

	function control(title, act) {
		const made = button(".soft", title, async () => {
			made.disabled = true;
			await api.attempt(act, (message) => say(trouble, message));
			made.disabled = false;
		});
		return made;
	}

	return { id, element, update };
}

function costInWords({ reused, youtube_bytes: bytes }) {
	const dollars = Math.max((bytes / 1e9) * PROXY_PRICE, 0.01).toFixed(2);
	return [
		reused ? `${videos(reused)} known already, not asked for again.` : "",
		bytes ? `${megabytes(bytes)} from YouTube; a paid proxy would take about $${dollars} for them.` : "",
	].join(" ");
}

/** The videos of a job that are in one state, listed once they are asked for. */
function problemsOf(job, state, title, meaning) {
	const summary = make("summary");
	const list = make("ul");
	const known = new Set();
	let number = 0;
	let loading = false;
	const attributes = { "data-state": state, open: state === "failed" };
	const element = make("details.problems", attributes, summary, make("p.quiet", meaning), list);
	on(element, "toggle", load);

	function update(counts) {
		if (counts[state] < number) {
			known.clear();
			list.replaceChildren();
		}
		number = counts[state];
		element.hidden = !number;
		say(summary, `${title} (${count(number)})`);
		load();
	}

	/** Adds what is new: whoever reads the list meanwhile keeps the place. */
	async function load() {
		const wanted = number;
		if (loading || !element.open || known.size >= wanted) return;
		loading = true;
		await api.attempt(async () => {
			for (let cursor = null, page; !page || cursor; cursor = page.cursor) {
				page = await api.jobVideos(job, state, cursor);
				if (number < wanted) return;
				const added = page.videos.filter(({ video_id: id }) => !known.has(id));
				for (const { video_id: id } of added) known.add(id);
				list.append(...added.map(problem));
			}
		}, (message) => list.append(make("li.error", message)));
		loading = false;
		if (wanted !== number) load();
	}

	return { element, update };
}

function problem({ video_id: id, title, reason, attempts }) {
	// What was given up says so itself.
	const tries = attempts > 1 && !reason?.includes("attempts") ? ` (tried ${count(attempts)} times)` : "";
	return make("li", { "data-video-id": id }, youtubeLink(id, title || id), make("span.reason", (reason ?? "") + tries));
}
