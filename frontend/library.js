// The library view: a card for each playlist, and a place to paste the address of another.

import * as api from "/api.js";
import { confirmed, toast } from "/dialogs.js";
import { button, byId, make, on, picture, say } from "/dom.js";
import { ago, count, videos } from "/format.js";
import * as jobs from "/jobs.js";
import { progressBar, speedInWords, stateInWords, troubleInWords } from "/progress.js";
import { address, comeBack } from "/router.js";
import * as search from "/search.js";

const DRAFT = "yts-draft";

const place = byId("cards");
const input = byId("playlist");
const cards = new Map();
let playlists = null;
// Jobs that failed before there was a playlist stay until they are put away, or the page is loaded again.
const dismissed = new Set();

const failed = (message) => say(byId("library-error"), message);

export function setUp() {
	input.value = sessionStorage.getItem(DRAFT) ?? "";
	on(input, "input", () => sessionStorage.setItem(DRAFT, input.value));
	on(byId("start"), "submit", submit);
	jobs.onChange((job, ended) => {
		if (playlists === null) return;
		render();
		if (ended) api.attempt(load, failed);
	});
}

export async function show() {
	document.title = "Your playlists · yts";
	await api.attempt(load, failed);
	comeBack();
}

export function forget() {
	playlists = null;
	cards.clear();
	place.replaceChildren();
}

async function load() {
	const [answer] = await Promise.all([api.playlists(), jobs.load()]);
	failed("");
	playlists = answer.playlists;
	// What goes on is followed, even if it began before many others.
	const others = playlists.map(({ job }) => job?.job_id).filter((id) => id && !jobs.knows(id));
	for (const job of await Promise.all(others.map(api.job))) jobs.put(job);
	byId("notices").replaceChildren();
	say(byId("library-note"), "");
	for (const { code, detail } of answer.notices ?? []) {
		const again = code === "grant_expired" && make("a", { href: "/api/login?next=/" }, "Sign in again");
		if (code === "watch_later") say(byId("library-note"), detail);
		else byId("notices").append(make("li", `${detail} `, again));
	}
	render();
}

function entries() {
	const latest = jobs.latest();
	const listed = playlists.map((playlist) => ({ playlist, job: latest.get(playlist.playlist_id) ?? null }));
	for (const { playlist } of listed) latest.delete(playlist.playlist_id);
	const added = [...latest.values()]
		.filter((job) => jobs.isActive(job) || (job.state === "failed" && !dismissed.has(job.job_id)))
		.map((job) => ({ playlist: null, job }));
	const liked = ({ playlist }) => playlist.source === "liked";
	return [...listed.filter(liked), ...added, ...listed.filter((entry) => !liked(entry))];
}

function render() {
	const wanted = entries().map((entry) => {
		const id = (entry.playlist ?? entry.job).playlist_id;
		if (!cards.has(id)) cards.set(id, newCard());
		const { element, update } = cards.get(id);
		update(entry);
		return element;
	});
	// Only when the order changed: elements that are put in again lose the focus.
	if (wanted.length !== place.children.length || wanted.some((each, at) => place.children[at] !== each)) {
		place.replaceChildren(...wanted);
	}
	byId("no-cards").hidden = wanted.length > 0;
}

async function submit(event) {
	event.preventDefault();
	const button = event.target.querySelector("button");
	if (button.disabled) return;
	const told = (message) => {
		say(byId("start-error"), message);
		input.ariaInvalid = Boolean(message);
	};
	told("");
	button.disabled = true;
	await api.attempt(async () => {
		await start(input.value);
		input.value = "";
		sessionStorage.removeItem(DRAFT);
	}, (message) => {
		told(message);
		input.focus();
	});
	button.disabled = false;
}

async function start(playlist) {
	const { job_id: id, playlist_id: listed } = await api.startIndexing(playlist);
	jobs.put(await api.job(id));
	cards.get(listed)?.element.scrollIntoView({ block: "nearest" });
	toast("Indexing has begun. You can search while it goes on, and close this tab.");
}

async function remove({ playlist, job }) {
	if (playlist) {
		await api.removePlaylist(playlist.playlist_id);
		search.forget();
		toast("Removed: its videos are not found any more.");
		await load();
	} else if (jobs.isActive(job)) {
		jobs.put(await api.cancelJob(job.job_id));
	} else {
		dismissed.add(job.job_id);
		render();
	}
	byId("library-title").focus();
}

/** One playlist, updated in place so that the focus is not lost. An entry is `{playlist, job}`; one may be null. */
function newCard() {
	let shown;
	let id;
	let drawn;
	const frame = make("div.thumbnail");
	const title = make("h2");
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
		const active = job !== null && jobs.isActive(job);
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
		await api.attempt(what, (message) => say(trouble, message));
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
