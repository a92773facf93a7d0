// The library view: a card for each playlist, and a place to paste the address of another.

import * as api from "/api.js";
import { toast } from "/dialogs.js";
import { attempt, byId, make, on, say } from "/dom.js";
import * as jobs from "/jobs.js";
import { playlistCard } from "/playlist-card.js";
import { comeBack } from "/router.js";
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
		if (ended) attempt(load, failed);
	});
}

export async function show() {
	document.title = "Your playlists · yts";
	await attempt(load, failed);
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
	const listed = playlists.map((playlist) => ({ playlist, job: latest.get(playlist.playlist_id) ?? playlist.job ?? null }));
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
		if (!cards.has(id)) cards.set(id, playlistCard({ start, remove }));
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
	await attempt(async () => {
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
