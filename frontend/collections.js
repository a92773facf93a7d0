// Collections, which are lists of the user's own.

import api from "/api.js";
import { actionButton, askName, confirm, moreButton, nameForm, onSubmit, openDialog, toast } from "/dialogs.js";
import { errorLine, fill, libraryLink, make, on, picture, removeItem, showView } from "/dom.js";
import { ago, countVideos, duration, join } from "/format.js";
import * as jobs from "/jobs.js";
import { navigate, pageUrl, videoUrl } from "/router.js";
import * as search from "/search.js";

const MAX_TITLE = 150;

const isCollection = ({ kind }) => kind === "collection";
const collections = async () => (await api.playlists()).playlists.filter(isCollection);

export async function show(params) {
	const id = params.get("collection");
	const [error, showError] = errorLine();
	const render = (title, ...content) => showView("collection", title, libraryLink(), error, ...content);
	render("Collection");
	await api.attempt(async () => {
		const [own, first] = await Promise.all([collections(), api.collectionVideos(id)]);
		const title = own.find((each) => each.playlist_id === id)?.title ?? "Collection";
		const list = make("ul.videos");
		const more = make("p");
		const empty = make("p.empty", "This collection has no videos yet. Add some above, or press “Save” at a video.");
		const showEmpty = () => (empty.hidden = list.children.length > 0);
		const append = ({ videos, cursor }) => {
			list.append(...videos.map((video) => row(id, video, showError, showEmpty)));
			showEmpty();
			fill(more, moreButton(cursor, () => api.collectionVideos(id, cursor).then(append), showError));
		};
		append(first);
		async function reload() {
			const answer = await api.collectionVideos(id);
			list.replaceChildren();
			append(answer);
		}
		const rename = actionButton(".soft", "Rename", async () => {
			const before = { value: title, maxlength: MAX_TITLE };
			if (await askName("Rename this collection", "Rename", before, (name) => api.renameCollection(id, name))) await show(params);
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
		render(title, tools, addForm(id, reload), empty, list, more);
	}, showError);
}

function row(collection, video, showError, removed) {
	const { video_id: id, channel, duration_seconds: seconds, added_at: added, gone } = video;
	const title = video.title || id;
	const leave = () => {
		removeItem(item, "collection-title");
		removed();
		search.clear();
	};
	const move = actionButton(".act", "Move", async () => {
		if (await chooseCollection(id, `Move “${title}” to`, collection)) leave();
	}, showError, title);
	const remove = actionButton(".act", "Remove", async () => {
		await api.removeFromCollection(collection, id);
		leave();
		toast("The video is removed from this collection.");
	}, showError, title);
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
	const refuse = (...sentences) => problems.replaceChildren(...sentences.map((each) => make("p", each)));
	onSubmit(form, async () => {
		const lines = box.value.split("\n").map((line) => line.trim()).filter(Boolean);
		if (!lines.length) return refuse("Paste the address of a video first.");
		const answer = await api.addToCollection(id, lines);
		await jobs.follow(answer.job_id);
		toast(addedText(answer));
		box.value = answer.refused.map(({ text }) => text).join("\n");
		refuse(...answer.refused.map(({ text, detail }) => `${text}: ${detail}`));
		await reload();
	}, refuse);
	return form;
}

export const addedText = ({ added, already }) =>
	join([`${countVideos(added)} added`, already && `${countVideos(already)} already there`]);

export async function create() {
	const made = await askName("New collection", "Create", { maxlength: MAX_TITLE }, api.createCollection);
	if (made) navigate(pageUrl({ collection: made.playlist_id }));
}

/** `from`: moves the video. Resolves to true if it was done. */
const chooseCollection = (id, question, from) => openDialog(question, async (_, close) => {
	const own = (await collections()).filter((each) => each.playlist_id !== from);
	// The server makes this one when it is needed.
	if (!from && !own.some(({ title }) => title === "Saved videos")) own.unshift({ playlist_id: "saved", title: "Saved videos" });
	const { form, showError } = nameForm("New collection", "Create and save", { maxlength: MAX_TITLE },
		async (title) => put({ ...(await api.createCollection(title)), title }));
	async function put({ playlist_id: target, title }) {
		const answer = await api.addToCollection(target, [id], from);
		if (answer.refused.length) return showError(answer.refused[0].detail);
		await jobs.follow(answer.job_id);
		close(true);
		toast(answer.added || from ? `Saved to “${title}”.` : `It is in “${title}” already.`);
	}
	const choices = own.map((each) => make("li", actionButton(".soft", each.title, () => put(each), showError)));
	return [make("ul.choices", ...choices), form];
});

export const save = (id, title) => chooseCollection(id, `Save “${title}” to`);
