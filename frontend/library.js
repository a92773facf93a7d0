import api from "/api.js";
import { actionButton, confirm, exportMenu, toast } from "/dialogs.js";
import { byId, errorLine, fill, make, on, picture, setText } from "/dom.js";
import { ago, count, countOf, countVideos, dateAndTime, day, join, until } from "/format.js";
import * as jobs from "/jobs.js";
import { problemText, progressBar, speedText, stateText } from "/progress.js";
import { pageUrl } from "/router.js";
import * as saved from "/saved.js";
import * as search from "/search.js";
import * as session from "/session.js";
import { channelText, choiceForm, clear as clearSources, setUp as setUpSources } from "/sources.js";

const KINDS = { channel: "Channel", collection: "Collection" };
const MEANING_DELAY_MS = 15_000;
const REFRESH = { auto: "Automatic", daily: "Daily", weekly: "Weekly", off: "Off" };

const list = byId("cards");
const cards = new Map();
let playlists = null;
let meaningTimer = 0;
// Failed jobs without a playlist, hidden until the page is loaded again.
const dismissed = new Set();

const showError = (message) => setText(byId("library-error"), message);

export function setUp() {
	setUpSources({ onChange: load });
	byId("new-collection").after(exportMenu(() => ""));
	on(byId("new-collection"), "click", async () => (await import("/collections.js")).create());
	jobs.onChange((job, ended) => {
		if (playlists === null) return;
		render();
		if (ended) api.attempt(load, showError);
	});
}

export async function show() {
	document.title = "Your library · yts";
	// Only somebody who signed in with Google has subscriptions that can be read.
	byId("subscriptions").hidden = !session.me.email;
	await api.attempt(load, showError);
}

export function clear() {
	playlists = null;
	clearSources();
	cards.clear();
	list.replaceChildren();
}

async function load() {
	// The library does not wait for them.
	api.attempt(saved.load, toast);
	const [answer] = await Promise.all([api.playlists(), jobs.load()]);
	showError("");
	playlists = answer.playlists;
	// Active jobs may be too old for the list of recent jobs.
	const older = playlists.map(({ job }) => job?.job_id).filter((id) => id && !jobs.has(id));
	await Promise.all(older.map(jobs.follow));
	byId("notices").replaceChildren();
	setText(byId("library-note"), "");
	for (const { code, detail } of answer.notices ?? []) {
		const signIn = code === "grant_expired" && make("a", { href: "/api/login?next=/" }, "Sign in again");
		if (code === "watch_later") setText(byId("library-note"), detail);
		else byId("notices").append(make("li", `${detail} `, signIn));
	}
	render();
	followMeaning();
}

/** Passages are read long after a job has ended. */
function followMeaning() {
	clearTimeout(meaningTimer);
	if (!playlists?.some(({ indexed }) => meaningText(indexed))) return;
	meaningTimer = setTimeout(() => api.attempt(async () => {
		// The view asks again when it is shown.
		if (byId("view-library").hidden) return;
		const answer = document.hidden ? null : await api.playlists();
		if (answer && playlists) {
			({ playlists } = answer);
			render();
		}
		followMeaning();
	}), MEANING_DELAY_MS);
}

/** `{playlist, job}` for each card; one of the two may be null. */
function cardEntries() {
	const latest = jobs.latestByPlaylist();
	const listed = playlists.map((playlist) => ({ playlist, job: latest.get(playlist.playlist_id) ?? null }));
	for (const { playlist } of listed) latest.delete(playlist.playlist_id);
	const unlisted = [...latest.values()]
		.filter((job) => jobs.isActive(job) || (job.state === "failed" && !dismissed.has(job.job_id)))
		.map((job) => ({ playlist: null, job }));
	const isLiked = ({ playlist }) => playlist.source === "liked";
	return [...listed.filter(isLiked), ...unlisted, ...listed.filter((entry) => !isLiked(entry))];
}

function render() {
	const elements = cardEntries().map((entry) => {
		const id = (entry.playlist ?? entry.job).playlist_id;
		if (!cards.has(id)) cards.set(id, createCard());
		const { element, update } = cards.get(id);
		update(entry);
		return element;
	});
	// Only if the order changed: an element that is moved loses the focus.
	if (elements.length !== list.children.length || elements.some((each, index) => list.children[index] !== each)) {
		list.replaceChildren(...elements);
	}
	byId("no-cards").hidden = elements.length > 0;
}

async function startIndexing(playlist, options) {
	const { job_id: job, playlist_id: id } = await api.startIndexing(playlist, options);
	await jobs.follow(job);
	cards.get(id)?.element.scrollIntoView({ block: "nearest" });
	toast("Indexing has started. You can search now, or close this tab.");
}

async function remove({ playlist, job }) {
	if (playlist) {
		await api.removePlaylist(playlist.playlist_id);
		search.clear();
		toast("It is removed from your library.");
		await load();
	} else if (jobs.isActive(job)) {
		jobs.put(await api.cancelJob(job.job_id));
	} else {
		dismissed.add(job.job_id);
		render();
	}
	byId("library-title").focus();
}

/** `update(entry)` changes the card in place, so that the focus is not lost. */
function createCard() {
	let entry, id, thumbnail;
	const frame = make("div.thumbnail");
	const title = make("h2");
	const [about, state, meaning] = [make("p.facts"), make("p.card-state"), make("p.facts")];
	const [problem, showProblem] = errorLine();
	const [search, videos, details] = ["Search", "Videos", "Details"].map((label) => make("a.act", label));
	const bar = progressBar();
	const act = (label, action) => actionButton(".act", label, action, showProblem);
	const startButton = act("", () => startIndexing(id));
	const againButton = act("Fetch again", () => startIndexing(id, { again: true }));
	const chooseButton = act("Choose videos", chooseVideos);
	const shareButton = act("Share", async () => (await import("/links.js")).show(id, title.textContent));
	const removeButton = act("", confirmAndRemove);
	const actions = [search, videos, startButton, againButton, chooseButton, details, shareButton, removeButton];
	const changes = make("p.facts");
	const refresh = refreshMenu(async (chosen) => {
		entry.playlist.refresh = (await api.setRefresh(id, chosen)).refresh;
		return entry.playlist.refresh;
	}, showProblem);
	const below = make("div.below", changes, refresh.element, bar.element, problem, make("p.acts", ...actions));
	const text = make("div.card-text", title, about, state, meaning, below);
	const element = make("li.card", frame, text);

	function update(newEntry) {
		entry = newEntry;
		const { playlist, job } = entry;
		const active = job !== null && jobs.isActive(job);
		const failed = job?.state === "failed";
		const indexed = playlist?.indexed ?? null;
		id = element.dataset.playlistId = (playlist ?? job).playlist_id;
		const name = playlist?.title || job?.title || id;
		showThumbnail(playlist?.thumbnail_url, [...name][0]);
		setText(title, name);
		setText(about, aboutText(playlist, job, active));
		// Videos that are moved into a collection need no job.
		const filled = playlist?.kind === "collection" && !job && !indexed;
		setText(state, filled ? (playlist.video_count ? "Searchable" : "No videos yet") : cardStateText(job, indexed, active));
		state.classList.toggle("error", failed || Boolean(job?.counts.failed));
		setText(meaning, meaningText(indexed));
		meaning.hidden = !meaning.textContent;
		bar.element.hidden = !active;
		if (active) bar.update(job);
		showProblem(active || failed ? problemText(job) : "");
		search.hidden = !(indexed?.videos || job?.counts.indexed || (filled && playlist.video_count));
		search.href = pageUrl({ playlist: id });
		videos.hidden = playlist?.kind !== "collection";
		videos.href = pageUrl({ collection: id });
		chooseButton.hidden = active || playlist?.kind !== "channel";
		changes.replaceChildren(...changeTexts(playlist?.changes, id));
		changes.hidden = !changes.childNodes.length;
		refresh.update(indexed && playlist.refresh, name);
		startButton.hidden = active || filled;
		againButton.hidden = active || !indexed;
		startButton.classList.toggle("first", !indexed && !job);
		const verb = failed ? "Try again" : "Start indexing";
		setText(startButton, indexed || job?.state === "done" ? "Refresh" : verb);
		details.hidden = !job;
		details.href = pageUrl({ job: job?.job_id });
		shareButton.hidden = !(indexed || filled) || playlist.privacy === "private" || playlist.source === "liked";
		// The user's own playlists are listed anyway; without an index there is nothing to remove.
		removeButton.hidden = playlist !== null && !indexed && !job && playlist.source !== "url";
		setText(removeButton, playlist ? "Remove" : active ? "Cancel" : "Dismiss");
		for (const each of actions) each.ariaLabel = `${each.textContent}: ${name}`;
	}

	function showThumbnail(url, letter) {
		if (thumbnail === url + letter) return;
		thumbnail = url + letter;
		fill(frame, make("span", { "aria-hidden": "true" }, letter), picture(url));
	}

	function chooseVideos() {
		const form = choiceForm(title.textContent, null, async (channel) => {
			await startIndexing(id, { channel });
			form.remove();
		}, entry.playlist.channel ?? undefined);
		below.querySelector(".parts")?.remove();
		below.append(form);
		form.querySelector("input").focus();
	}

	async function confirmAndRemove() {
		const question = `Remove “${title.textContent}” from your library?`;
		const effect = "You no longer find its videos. Nothing changes on YouTube, and you can add it again.";
		if (!entry.playlist || (await confirm(question, effect, "Remove"))) await remove(entry);
	}

	return { element, update };
}

function cardStateText(job, indexed, active) {
	let state = "Not indexed";
	if (job && job.state !== "done") state = stateText(job);
	else if (indexed) state = `Indexed ${ago(indexed.at)}`;
	else if (job) state = "Indexed";
	const failed = job?.counts.failed && `${count(job.counts.failed)} failed`;
	return join([state, active && speedText(job), failed]);
}

/** "" when it is complete or off. */
const meaningText = (indexed) => {
	const { videos = 0, of = 0 } = indexed?.by_meaning ?? {};
	return videos < of ? `${count(videos)} of ${count(of)} also by meaning` : "";
};

function aboutText(playlist, job, active) {
	const { source, privacy, kind, channel } = playlist ?? {};
	// YouTube's count includes deleted and private videos.
	const size = (active || source === "url" ? job?.total : null) ?? playlist?.video_count ?? job?.total;
	const searchable = active ? job.counts.indexed : playlist?.indexed?.videos;
	return join([
		Number.isInteger(size) && countVideos(size),
		searchable && searchable !== size && `${count(searchable)} searchable`,
		KINDS[kind] ?? (source === "liked" ? "Liked" : privacy && privacy[0].toUpperCase() + privacy.slice(1)),
		channel && channelText(channel),
	]);
}

function changeTexts(changes, id) {
	if (!changes) return [];
	const { since, new: added, removed, captions, renamed } = changes;
	const href = pageUrl({ playlist: id, added_after: since, sort: "added" });
	return [
		added && make("a", { href }, `${count(added)} new since ${day(since)}`),
		removed && `${count(removed)} removed`,
		captions && `captions came for ${count(captions)}`,
		renamed && `${countOf(renamed, "title", "titles")} changed`,
	].filter(Boolean).map((text) => make("span", text));
}

function refreshMenu(choose, report) {
	const options = Object.entries(REFRESH).map(([value, label]) => make("option", { value }, label));
	const menu = make("select", ...options);
	const next = make("span");
	const element = make("p.refresh", "Refresh", menu, next);
	on(menu, "change", () => {
		report("");
		api.attempt(async () => show(await choose(menu.value)), (message) => {
			report(message);
			menu.value = menu.dataset.chosen;
		});
	});

	function show({ every, chosen, next_at: at, late }) {
		menu.dataset.chosen = menu.value = chosen;
		setText(options[0], chosen === "auto" && every !== "off" ? `${REFRESH.auto} (${every})` : REFRESH.auto);
		setText(next, late?.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, dateAndTime) ?? (at && every !== "off" ? until(at) : ""));
	}

	function update(refresh, name) {
		element.hidden = !refresh;
		menu.ariaLabel = `How often to refresh ${name}`;
		if (refresh) show(refresh);
	}

	return { element, update };
}
