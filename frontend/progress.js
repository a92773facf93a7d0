// How far a job is: a bar, and words.

import { make } from "/dom.js";
import { ago, count, remaining, timeOfDay, videos } from "/format.js";
import { isActive, rate, SETTLED, settled } from "/jobs.js";

export function progressBar() {
	const segments = SETTLED.map((name) => make(`span.segment.${name}`));
	const element = make("div.bar", { role: "progressbar", "aria-valuemin": "0" }, ...segments);
	function update(job) {
		const done = settled(job);
		const whole = job.total ?? done + job.counts.pending;
		SETTLED.forEach((name, number) => (segments[number].style.flexGrow = whole ? job.counts[name] / whole : 0));
		element.classList.toggle("unknown", isActive(job) && !done);
		element.ariaLabel = `Progress of ${job.title ?? job.playlist_id}`;
		element.ariaValueMax = Math.max(whole, 1);
		element.ariaValueNow = done;
		element.ariaValueText = `${count(done)} of ${videos(whole)}`;
	}
	return { element, update };
}

export function stateInWords(job) {
	const since = job.finished_at ? ` ${ago(job.finished_at)}` : "";
	const listed = job.counts.pending + settled(job);
	const words = {
		queued: "Waiting to start",
		planning: `Reading the playlist${listed ? `: ${videos(listed)} so far` : ""}`,
		running: `Indexing ${count(settled(job))} / ${count(job.total)}`,
		failed: "Could not be indexed",
		cancelled: `Cancelled${since}`,
	};
	return words[job.state] ?? `Indexed${since}`;
}

export function speedInWords(job) {
	if (job.state !== "running" || job.blocked_until) return "";
	const now = rate(job.job_id);
	// What it does now says more than the mean of the whole job, with all its pauses.
	const left = now ? job.counts.pending / now : job.eta_seconds;
	const speed = now >= 1 ? `${now.toFixed(now < 10 ? 1 : 0)} videos/s` : `${Math.ceil(now * 60)} videos/min`;
	return [now && speed, Number.isFinite(left) && remaining(left)].filter(Boolean).join(" · ");
}

export function troubleInWords(job) {
	if (!isActive(job) || !job.blocked_until) return job.error ?? "";
	const why = job.error || "YouTube refuses our requests for now.";
	return `${why} It goes on by itself at ${timeOfDay(job.blocked_until)}.`;
}
