// One playlist in the library, updated in place so that the focus is not lost.

import { confirmed } from "/dialogs.js";
import { attempt, button, make, picture, say } from "/dom.js";
import { ago, count, videos } from "/format.js";
import { isActive } from "/jobs.js";
import { progressBar, speedInWords, stateInWords, troubleInWords } from "/progress.js";
import { address } from "/router.js";

/** `start(id)` and `remove(entry)`; an entry is `{playlist, job}`, one of which may be null. */
export function playlistCard({ start, remove }) {
	let shown;
	let id;
	let drawn;
	const frame = make("div.thumbnail");
	const title = make("h2", { dir: "auto" });
	const [about, state, trouble] = ["p.facts", "p.card-state", "p.error"].map((what) => make(what));
	const [search, details] = ["Search", "Details"].map((text) => make("a.act", text));
	const bar = progressBar();
	const starting = button(".act", "", () => act(() => start(id)));
	const removing = button(".act", "", () => act(removed));
	const acts = [search, starting, details, removing];
	const text = make("div.card-text", title, about, state, bar.element, trouble, make("p.acts", ...acts));
	const element = make("li.card", frame, text);

	function update(entry) {
		shown = entry;
		const { playlist, job } = entry;
		const active = job !== null && isActive(job);
		const failed = job?.state === "failed";
		const indexed = playlist?.indexed ?? null;
		id = element.dataset.playlistId = (playlist ?? job).playlist_id;
		const name = playlist?.title || job?.title || id;
		thumbnail(playlist?.thumbnail_url, [...name][0]);
		say(title, name);
		say(about, aboutInWords(playlist, job, active));
		say(state, toldInWords(job, indexed, active));
		state.classList.toggle("error", failed || Boolean(job?.counts.failed));
		bar.element.hidden = !active;
		if (active) bar.update(job);
		say(trouble, active || failed ? troubleInWords(job) : "");
		search.hidden = !(indexed?.videos || job?.counts.indexed);
		search.href = address({ playlist: id });
		starting.hidden = active;
		starting.classList.toggle("first", !indexed && !job);
		const verb = failed ? "Try again" : "Start indexing";
		say(starting, indexed || job?.state === "done" ? "Refresh" : verb);
		details.hidden = !job;
		details.href = address({ job: job?.job_id });
		// What YouTube lists for the person, and is not indexed, cannot be taken out here.
		removing.hidden = playlist !== null && !indexed && !job && playlist.source !== "url";
		say(removing, playlist ? "Remove" : active ? "Cancel" : "Dismiss");
		for (const each of acts) each.ariaLabel = `${each.textContent}: ${name}`;
	}

	function thumbnail(url, letter) {
		if (drawn === url + letter) return;
		drawn = url + letter;
		frame.replaceChildren(make("span", { "aria-hidden": "true" }, letter), picture(url) ?? "");
	}

	async function removed() {
		const question = `Remove “${title.textContent}” from your library?`;
		const lost = "Its videos are not found any more. Nothing changes on YouTube, and you can add it again.";
		if (!shown.playlist || (await confirmed(question, lost, "Remove"))) await remove(shown);
	}

	async function act(what) {
		starting.disabled = removing.disabled = true;
		await attempt(what, (message) => say(trouble, message));
		starting.disabled = removing.disabled = false;
	}

	return { element, update };
}

const joined = (parts) => parts.filter(Boolean).join(" · ");

function toldInWords(job, indexed, active) {
	let state = "Not indexed";
	if (job && job.state !== "done") state = stateInWords(job);
	else if (indexed || job) state = indexed ? `Indexed ${ago(indexed.at)}` : "Indexed";
	const failed = job?.counts.failed && `${count(job.counts.failed)} failed`;
	return joined([state, active && speedInWords(job), failed]);
}

function aboutInWords(playlist, job, active) {
	const { source, privacy } = playlist ?? {};
	// Without YouTube's own count, that of the job: deleted and private videos are not in the library.
	const size = (active || source === "url" ? job?.total : null) ?? playlist?.video_count ?? job?.total;
	const searchable = active ? job.counts.indexed : playlist?.indexed?.videos;
	return joined([
		Number.isInteger(size) && videos(size),
		searchable && searchable !== size && `${count(searchable)} searchable`,
		source === "liked" ? "Liked" : privacy && privacy[0].toUpperCase() + privacy.slice(1),
	]);
}
