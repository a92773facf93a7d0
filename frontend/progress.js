// How far a job is: a bar, and words.

import { make } from "/dom.js";
import { ago, count, remaining, timeOfDay, videos } from "/format.js";
import { isActive, rate, settled } from "/jobs.js";

const SEGMENTS = ["indexed", "no_transcript", "unavailable", "failed"];

export class Bar {
	#segments = SEGMENTS.map((name) => make("span", { class: `segment ${name}` }));

	constructor() {
		this.element = make("div.bar", { role: "progressbar", "aria-valuemin": "0" }, ...this.#segments);
	}

	update(job) {
		const { counts, total } = job;
		const done = settled(job);
		const whole = total ?? done + counts.pending;
		SEGMENTS.forEach((name, number) => {
			this.#segments[number].style.flexGrow = String(whole ? counts[name] / whole : 0);
		});
		this.element.classList.toggle("unknown", isActive(job) && !done);
		this.element.setAttribute("aria-label", `Progress of ${job.title ?? job.playlist_id}`);
		this.element.setAttribute("aria-valuemax", String(Math.max(whole, 1)));
		this.element.setAttribute("aria-valuenow", String(done));
		this.element.setAttribute("aria-valuetext", `${count(done)} of ${videos(whole)}`);
	}
}

export function stateInWords(job) {
	const { counts, total } = job;
	switch (job.state) {
		case "queued":
			return "Waiting to start";
		case "planning":
			return counts.pending ? `Reading the playlist: ${videos(counts.pending + settled(job))} so far` : "Reading the playlist";
		case "running":
			return `Indexing ${count(settled(job))} / ${count(total)}`;
		case "failed":
			return "Could not be indexed";
		case "cancelled":
			return job.finished_at ? `Cancelled ${ago(job.finished_at)}` : "Cancelled";
		default:
			return job.finished_at ? `Indexed ${ago(job.finished_at)}` : "Indexed";
	}
}

export function speedInWords(job) {
	if (job.state !== "running" || job.blocked_until) return "";
	const parts = [];
	const now = rate(job.job_id);
	if (now) parts.push(now >= 1 ? `${now.toFixed(now < 10 ? 1 : 0)} videos/s` : `${Math.max(1, Math.round(now * 60))} videos/min`);
	if (job.eta_seconds !== null) parts.push(remaining(job.eta_seconds));
	return parts.join(" · ");
}

export function troubleInWords(job) {
	if (!isActive(job)) return job.error ?? "";
	if (!job.blocked_until) return job.error ?? "";
	const why = job.error || "YouTube refuses our requests for now.";
	return `${why} It goes on by itself at ${timeOfDay(job.blocked_until)}.`;
}
