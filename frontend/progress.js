import { make } from "/dom.js";
import { ago, count, countVideos, join, remaining, timeOfDay } from "/format.js";
import { countSettled, isActive, recentRate, SETTLED } from "/jobs.js";

export function progressBar() {
	const segments = SETTLED.map((state) => make(`span.segment.${state}`));
	const element = make("div.bar", { role: "progressbar", "aria-valuemin": 0 }, ...segments);
	function update(job) {
		const done = countSettled(job);
		const total = job.total ?? done + job.counts.pending;
		SETTLED.forEach((state, index) => (segments[index].style.flexGrow = total ? job.counts[state] / total : 0));
		element.classList.toggle("unknown", isActive(job) && !done);
		element.ariaLabel = `Progress of ${job.title ?? job.playlist_id}`;
		element.ariaValueMax = Math.max(total, 1);
		element.ariaValueNow = done;
		element.ariaValueText = `${count(done)} of ${countVideos(total)}`;
	}
	return { element, update };
}

export function stateText(job) {
	const ended = job.finished_at ? ` ${ago(job.finished_at)}` : "";
	const listed = job.counts.pending + countSettled(job);
	const texts = {
		queued: "Waiting to start",
		planning: `Reading the playlist${listed ? `: ${countVideos(listed)} so far` : ""}`,
		running: `Indexing ${count(countSettled(job))} / ${count(job.total)}`,
		failed: "Could not be indexed",
		cancelled: `Cancelled${ended}`,
	};
	return texts[job.state] ?? `Indexed${ended}`;
}

export function speedText(job) {
	if (job.state !== "running" || job.blocked_until) return "";
	const rate = recentRate(job.job_id);
	// The server's estimate includes all pauses of the job.
	const seconds = rate ? job.counts.pending / rate : job.eta_seconds;
	const speed = rate >= 1 ? `${rate.toFixed(rate < 10 ? 1 : 0)} videos/s` : `${Math.ceil(rate * 60)} videos/min`;
	return join([rate && speed, Number.isFinite(seconds) && remaining(seconds)]);
}

export function problemText(job) {
	if (!isActive(job) || !job.blocked_until) return job.error ?? "";
	const reason = job.error || "YouTube refuses our requests for now.";
	return `${reason} Indexing continues at ${timeOfDay(job.blocked_until)}.`;
}
