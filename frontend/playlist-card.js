// One playlist in the library, updated in place so that the focus is not lost.

import { confirmed } from "/dialogs.js";
import { attempt, button, make, picture, say } from "/dom.js";
import { ago, count, videos } from "/format.js";
import { isActive } from "/jobs.js";
import { Bar, speedInWords, stateInWords, troubleInWords } from "/progress.js";
import { address } from "/router.js";

export class Card {
	#entry;
	#picture;
	#frame = make("div.thumbnail");
	#title = make("h2", { dir: "auto" });
	#about = make("p.facts");
	#state = make("p.card-state");
	#bar = new Bar();
	#trouble = make("p.error");
	#search = make("a.act", "Search");
	#details = make("a.act", "Details");
	#start;
	#remove;

	constructor({ start, remove }) {
		this.#start = button("", () => this.#act(() => start(this.#id)), { class: "act" });
		this.#remove = button("", () => this.#act(() => this.#removed(remove)), { class: "act" });
		const acts = make("p.acts", this.#search, this.#start, this.#details, this.#remove);
		const text = [this.#title, this.#about, this.#state, this.#bar.element, this.#trouble, acts];
		this.element = make("li.card", this.#frame, make("div.card-text", ...text));
	}

	get #id() {
		return (this.#entry.playlist ?? this.#entry.job).playlist_id;
	}

	update(entry) {
		this.#entry = entry;
		const { playlist, job } = entry;
		const active = job !== null && isActive(job);
		const indexed = playlist?.indexed ?? null;
		const name = playlist?.title || job?.title || this.#id;
		this.element.dataset.playlistId = this.#id;
		this.#thumbnail(playlist?.thumbnail_url ?? null, name);
		say(this.#title, name);
		say(this.#about, aboutInWords(playlist, job));
		say(this.#state, toldInWords(job, indexed, active));
		this.#state.classList.toggle("error", Boolean(job?.counts.failed) || job?.state === "failed");
		this.#bar.element.hidden = !active;
		if (active) this.#bar.update(job);
		say(this.#trouble, job && (active || job.state === "failed") ? troubleInWords(job) : "");
		this.#start.hidden = active;
		const verb = job?.state === "failed" ? "Try again" : "Start indexing";
		say(this.#start, indexed || job?.state === "done" ? "Refresh" : verb);
		this.#start.classList.toggle("first", !indexed && !job);
		this.#search.hidden = !(indexed?.videos || job?.counts.indexed);
		this.#search.href = address({ playlist: this.#id });
		this.#details.hidden = !job;
		if (job) this.#details.href = `/?job=${encodeURIComponent(job.job_id)}`;
		// What YouTube lists for the person, and is not indexed, cannot be taken out here.
		this.#remove.hidden = playlist !== null && !indexed && !job && playlist.source !== "url";
		say(this.#remove, playlist ? "Remove" : active ? "Cancel" : "Dismiss");
		for (const act of [this.#search, this.#start, this.#details, this.#remove]) {
			act.setAttribute("aria-label", `${act.textContent}: ${name}`);
		}
	}

	#thumbnail(url, name) {
		const drawn = `${url} ${name[0]}`;
		if (drawn === this.#picture) return;
		this.#picture = drawn;
		this.#frame.replaceChildren(make("span", { "aria-hidden": "true" }, [...name][0]), picture(url) ?? "");
	}

	async #removed(remove) {
		const title = `Remove “${this.#title.textContent}” from your library?`;
		const text = "Its videos are not found any more. Nothing changes on YouTube, and you can add it again.";
		if (!this.#entry.playlist || (await confirmed(title, text, "Remove"))) await remove(this.#entry);
	}

	async #act(act) {
		this.#start.disabled = this.#remove.disabled = true;
		await attempt(act, (message) => say(this.#trouble, message));
		this.#start.disabled = this.#remove.disabled = false;
	}
}

function toldInWords(job, indexed, active) {
	let state = "Not indexed";
	if (job && (active || job.state !== "done")) state = stateInWords(job);
	else if (indexed || job) state = indexed ? `Indexed ${ago(indexed.at)}` : "Indexed";
	const speed = active ? speedInWords(job) : "";
	const failed = job?.counts.failed ? `${count(job.counts.failed)} failed` : "";
	return [state, speed, failed].filter(Boolean).join(" · ");
}

function aboutInWords(playlist, job) {
	const size = playlist?.video_count ?? job?.total ?? null;
	const searchable = job && isActive(job) ? job.counts.indexed : playlist?.indexed?.videos;
	const { source, privacy } = playlist ?? {};
	const kind = { liked: "Liked", url: "Added by address" }[source];
	return [
		size === null ? "" : videos(size),
		searchable && searchable !== size ? `${count(searchable)} searchable` : "",
		kind ?? (privacy ? privacy[0].toUpperCase() + privacy.slice(1) : ""),
	].filter(Boolean).join(" · ");
}
