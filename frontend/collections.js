// Collections, which are lists of the user's own: the view of one, and the dialogs to make one and to save a video.
// Loaded only when it is needed.

import * as api from "/api.js";
import { actionButton, confirm, toast } from "/dialogs.js";
import { button, byId, heading, libraryLink, make, on, picture, setText } from "/dom.js";
import { ago, countVideos, duration, join } from "/format.js";
import * as jobs from "/jobs.js";
import { navigate, pageUrl, restorePosition, videoUrl } from "/router.js";
import * as search from "/search.js";

const MAX_TITLE = 150;

const isCollection = ({ kind }) => kind === "collection";
const collections = async () => (await api.playlists()).playlists.filter(isCollection);

/** The view of one collection. */
export async function show(params) {
	const id = params.get("collection");
	const view = byId("view-collection");
	const error = make("p.error", { role: "alert" });
	const showError = (message) => setText(error, message);
	const top = (title) => make("div.heading", heading("collection-title", title), libraryLink());
	document.title = "Collection · yts";
	view.replaceChildren(top("Collection"), error);
	await api.attempt(async () => {
		const [own, first] = await Promise.all([collections(), api.collectionVideos(id)]);
		const title = own.find((each) => each.playlist_id === id)?.title ?? "Collection";
		document.title = `${title} · yts`;
		const list = make("ul.videos");
		const more = make("p");
		const empty = make("p.empty", "This collection has no videos yet. Add some above, or press “Save” at a video.");
		const append = ({ videos, cursor }) => {
			list.append(...videos.map((video) => row(id, video, showError, () => (empty.hidden = list.children.length > 0))));
			empty.hidden = list.children.length > 0;
			const next = () => api.collectionVideos(id, cursor).then(append);
			more.replaceChildren(...(cursor ? [actionButton(".soft", "Show more", next, showError)] : []));
		};
		append(first);
		async function reload() {
			const answer = await api.collectionVideos(id);
			list.replaceChildren();
			append(answer);
		}
		const rename = actionButton(".soft", "Rename", async () => {
			const changed = await askTitle("Rename this collection", "Rename", title, (text) => api.renameCollection(id, text));
			if (changed) await show(params);
		}, showError);
		const remove = actionButton(".soft", "Remove", async () => {
			const effect = "Its videos are no longer found, unless they are in another list of your library.";
			if (!(await confirm(`Remove “${title}”?`, effect, "Remove"))) return;
			await api.removePlaylist(id);
			search.clear();
			toast("The collection is removed.");
			navigate("/");
		}, showError);
		const tools = make("div.tools", make("a.soft", { href: pageUrl({ playlist: id }) }, "Search these videos"), rename, remove);
		view.replaceChildren(top(title), error, tools, addForm(id, reload), empty, list, more);
	}, showError);
	restorePosition();
}

function row(collection, video, showError, removed) {
	const { video_id: id, channel, duration_seconds: seconds, added_at: added, gone } = video;
	const title = video.title || id;
	const leave = () => {
		const neighbour = item.nextElementSibling ?? item.previousElementSibling;
		item.remove();
		removed();
		search.clear();
		(neighbour?.querySelector("a[data-key]") ?? byId("collection-title")).focus();
	};
	const move = actionButton(".act", "Move", async () => {
		if (await chooseCollection(id, `Move “${title}” to`, collection)) leave();
	}, showError, { "aria-label": `Move ${title}` });
	const remove = actionButton(".act", "Remove", async () => {
		await api.removeFromCollection(collection, id);
		leave();
		toast("The video is removed from this collection.");
	}, showError, { "aria-label": `Remove ${title}` });
	const link = make("a", { href: videoUrl(id), "data-key": id }, title);
	const facts = join([channel, seconds && duration(seconds), added && `added ${ago(added)}`, gone && "no longer on YouTube"]);
	const item = make("li.video", { "data-video-id": id }, make("span.thumbnail", picture(video.thumbnail_url)),
		make("div", make("h2", link), make("p.facts", facts), make("p.acts", move, remove)));
	return item;
}

function addForm(id, reload) {
	const box = make("textarea", { rows: 1, wrap: "off", "aria-label": "Videos to add", placeholder: "Paste videos to add, one a line", spellcheck: "false" });
	const problems = make("div.error", { role: "alert" });
	const form = make("form.line", box, make("button", "Add videos"), problems);
	on(box, "input", () => (box.rows = Math.min(box.value.split("\n").length, 8)));
	on(form, "submit", (event) => {
		event.preventDefault();
		problems.replaceChildren();
		const refuse = (...sentences) => problems.replaceChildren(...sentences.map((each) => make("p", each)));
		const lines = box.value.split("\n").map((line) => line.trim()).filter(Boolean);
		if (!lines.length) return refuse("Paste the address of a video first.");
		api.attempt(async () => {
			const answer = await api.addToCollection(id, lines);
			await follow(answer);
			toast(addedText(answer));
			box.value = answer.refused.map(({ text }) => text).join("\n");
			if (answer.refused.length) refuse(...answer.refused.map(({ text, detail }) => `${text}: ${detail}`));
			await reload();
		}, refuse);
	});
	return form;
}

export const addedText = ({ added, already }) =>
	join([`${countVideos(added)} added`, already && `${countVideos(already)} already there`]);

export async function follow({ job_id: job }) {
	if (job) jobs.put(await api.job(job));
}

/** Asks for a title and makes a collection. */
export async function create() {
	const made = await askTitle("New collection", "Create", "", api.createCollection);
	if (made) navigate(pageUrl({ collection: made.playlist_id }));
}

export const save = (id, title) => api.attempt(() => chooseCollection(id, `Save “${title}” to`, null), toast);

/** Puts a video into a collection that the user chooses; `from`: moves it. Resolves to true if it was done. */
async function chooseCollection(id, question, from) {
	const own = (await collections()).filter((each) => each.playlist_id !== from);
	// The server makes this one when it is needed.
	if (!from && !own.some(({ title }) => title === "Saved videos")) own.unshift({ playlist_id: "saved", title: "Saved videos" });
	const { element, close, closed } = dialog(question);
	const error = make("p.error", { role: "alert" });
	const put = async ({ playlist_id: target, title }) => {
		const answer = await api.addToCollection(target, [id], from);
		if (answer.refused.length) return setText(error, answer.refused[0].detail);
		await follow(answer);
		toast(answer.added || from ? `Saved to “${title}”.` : `It is in “${title}” already.`);
		close(true);
	};
	const choices = own.map((each) => make("li", actionButton(".soft", each.title, () => put(each), (text) => setText(error, text))));
	const { form } = titleForm("New collection", "Create and save", "", async (title) => put({ ...(await api.createCollection(title)), title }), error);
	element.append(make("ul.choices", ...choices), form, error);
	return closed;
}

/** `act(title)` may fail, and its message is shown. Resolves to its result; undefined if the dialog was closed. */
function askTitle(question, yes, before, act) {
	const { element, close, closed } = dialog(question);
	const error = make("p.error", { role: "alert" });
	const { form, field } = titleForm("Name", yes, before, async (title) => close((await act(title)) || true), error);
	element.append(form, error);
	field.focus();
	field.select();
	return closed;
}

function titleForm(label, yes, before, act, error) {
	const field = make("input", { id: "collection-name", maxlength: MAX_TITLE, required: true, autocomplete: "off", value: before });
	const form = make("form.line", make("label", { for: "collection-name" }, label), field, make("button", yes));
	on(form, "submit", (event) => {
		event.preventDefault();
		setText(error, "");
		api.attempt(() => act(field.value), (message) => setText(error, message));
	});
	return { form, field };
}

/** A dialog that is removed when it is closed; `closed` resolves to the value given to `close`. */
function dialog(title) {
	let value;
	const head = make("div.dialog-head", make("h2", { id: "asking-title" }, title), button(".round", "✕", () => close(), { "aria-label": "Close" }));
	const element = make("dialog.asking", { "aria-labelledby": "asking-title" }, head);
	const close = (result) => {
		value = result;
		element.close();
	};
	const closed = new Promise((resolve) => {
		on(element, "close", () => {
			element.remove();
			resolve(value);
		});
	});
	on(element, "click", (event) => event.target === element && close());
	document.body.append(element);
	element.showModal();
	return { element, close, closed };
}
