// The view of one job: every count, the step it is in, and what went wrong with which video.

import * as api from "/api.js";
import { confirmed, toast } from "/dialogs.js";
import { attempt, button, byId, linkTo, make, on, say } from "/dom.js";
import { count, many, videos } from "/format.js";
import * as jobs from "/jobs.js";
import { Bar, speedInWords, stateInWords, troubleInWords } from "/progress.js";
import { address, comeBack, here } from "/router.js";

const COUNTS = {
	indexed: "indexed",
	no_transcript: "without captions",
	unavailable: "unavailable",
	failed: "failed",
	pending: "to go",
};
const LISTS = [
	["failed", "Failed", "They can be tried again."],
	["unavailable", "Unavailable", "YouTube does not show these."],
	["no_transcript", "Without captions", "Found by title and description; looked at again with each refresh."],
];

let shown = null;

export function setUp() {
	jobs.onChange((job) => shown?.id === job.job_id && here().view === "job" && shown.update(job));
}

export async function show(parameters) {
	const id = parameters.get("job");
	const place = byId("view-job");
	document.title = "Indexing · yts";
	if (shown?.id !== id) place.replaceChildren(heading("Indexing"));
	await attempt(async () => {
		const job = await api.job(id);
		jobs.put(job);
		if (shown?.id !== id) {
			shown = new View(id);
			place.replaceChildren(heading(""), shown.element);
		}
		shown.update(job);
		comeBack();
	}, (message) => {
		shown = null;
		place.replaceChildren(heading("Indexing"), make("p.error", { role: "alert" }, message));
	});
}

function heading(title) {
	const h1 = make("h1", { id: "job-title", tabindex: "-1", dir: "auto" }, title);
	return make("div.heading", h1, make("a", { href: "/" }, "All playlists"));
}

class View {
	#bar = new Bar();
	#state = make("p.job-state");
	#speed = make("p.quiet");
	#trouble = make("p.error", { role: "status" });
	#searchable = make("span");
	#note = make("p.note", this.#searchable, " ");
	#link = make("a", "Search in them");
	#numbers = Object.entries(COUNTS).map(([name, title]) => [name, make("dd"), make("dt", title)]);
	#cancel = this.#control("Cancel", () => this.#cancelled());
	#retry = this.#control("Retry failed", async () => {
		jobs.put(await api.retryJob(this.id));
		toast("The failed videos are tried again.");
	});
	#known = make("p.quiet");
	#lists = LISTS.map(([name, title, meaning]) => new Videos(name, title, meaning));

	constructor(id) {
		this.id = id;
		this.#note.append(this.#link);
		const rows = this.#numbers.map(([name, number, title]) => make("div", { class: name }, title, number));
		this.element = make(
"div.job",
			make("div.job-line", this.#state, this.#speed),
			this.#bar.element,
			this.#trouble,
			make("dl.numbers", ...rows),
			this.#note,
			this.#known,
			make("p.acts", this.#retry, this.#cancel),
			...this.#lists.map((list) => list.element),
		);
	}

	update(job) {
		const { counts, playlist_id: playlist } = job;
		const active = jobs.isActive(job);
		say(byId("job-title"), job.title ?? playlist);
		document.title = `${stateInWords(job)} · yts`;
		this.element.dataset.state = job.state;
		this.#bar.update(job);
		say(this.#state, stateInWords(job));
		say(this.#speed, speedInWords(job));
		say(this.#trouble, troubleInWords(job));
		for (const [name, number, title] of this.#numbers) {
			say(number, count(counts[name]));
			if (name === "pending") say(title, active ? "to go" : "left out");
		}
		const found = counts.indexed + counts.no_transcript;
		this.#note.hidden = !found;
		const already = active ? " already. You can close this tab: it goes on." : ".";
		say(this.#searchable, `${many(found, "video is", "videos are")} searchable${already}`);
		this.#link.href = address({ playlist });
		const known = job.reused ? `${videos(job.reused)} known already, not asked for again` : "";
		say(this.#known, job.total === 0 ? "The playlist is empty." : known);
		this.#cancel.hidden = !active;
		this.#retry.hidden = active || !counts.failed;
		for (const list of this.#lists) list.update(job);
	}

	async #cancelled() {
		const text = "What is indexed stays searchable. The rest is left out until you refresh the playlist.";
		if (await confirmed("Cancel indexing?", text, "Cancel indexing")) jobs.put(await api.cancelJob(this.id));
	}

	#control(title, act) {
		const control = button(title, async () => {
			control.disabled = true;
			await attempt(act, (message) => say(this.#trouble, message));
			control.disabled = false;
		}, { class: "soft" });
		return control;
	}
}

class Videos {
	#state;
	#title;
	#summary = make("summary");
	#list = make("ul");
	#id;
	#number = 0;

	constructor(state, title, meaning) {
		this.#state = state;
		this.#title = title;
		const attributes = { "data-state": state, open: state === "failed" };
		this.element = make("details.problems", attributes, this.#summary, make("p.quiet", meaning), this.#list);
		on(this.element, "toggle", () => this.#load());
	}

	update(job) {
		const number = job.counts[this.#state];
		this.#id = job.job_id;
		this.element.hidden = !number;
		say(this.#summary, `${this.#title} (${count(number)})`);
		if (this.#number === number) return;
		this.#number = number;
		this.#list.replaceChildren();
		this.#load();
	}

	async #load() {
		const number = this.#number;
		if (!this.element.open || !number || this.#list.children.length) return;
		await attempt(async () => {
			for (let cursor = null, rows = []; ; ) {
				const page = await api.jobVideos(this.#id, this.#state, cursor);
				if (number !== this.#number) return;
				this.#list.replaceChildren(...(rows = [...rows, ...page.videos.map(problem)]));
				cursor = page.cursor;
				if (!cursor) return;
			}
		}, (message) => this.#list.replaceChildren(make("li.error", message)));
	}
}

function problem(video) {
	const url = `https://www.youtube.com/watch?v=${encodeURIComponent(video.video_id)}`;
	const link = linkTo(url, { dir: "auto" }, video.title || video.video_id);
	const tries = video.attempts > 1 ? ` (tried ${count(video.attempts)} times)` : "";
	const why = make("span.reason", (video.reason ?? "") + tries);
	return make("li", { "data-video-id": video.video_id }, link, why);
}
