// Imports a Google Takeout: the only way to Watch Later and the history. Loaded only when it is opened.

import * as api from "/api.js";
import { addedText, follow } from "/collections.js";
import { byId, externalLink, heading, make, on, setText } from "/dom.js";
import { count, countOf, countVideos, date } from "/format.js";
import { pageUrl, restorePosition } from "/router.js";
import { me } from "/session.js";
import { answerList } from "/sources.js";
import { addChannels, channelPicker } from "/subscriptions.js";
import { chooseWatched } from "./takeout-read.js";

const MAX_VIDEOS = 10_000;
const CHUNK = 1_000;

const status = make("p.status", { role: "status" });
const problems = make("ul.error", { role: "alert" });
const results = make("div");
let owner = null;
let worker = null;

export async function show() {
	document.title = "Import from Google Takeout · yts";
	// What was read stays on the page until somebody else signs in.
	if (owner !== me) {
		owner = me;
		worker?.terminate();
		setText(status, "");
		problems.replaceChildren();
		results.replaceChildren();
		byId("view-takeout").replaceChildren(...start());
	}
	restorePosition();
}

function start() {
	const input = make("input", { type: "file", multiple: true, accept: ".zip,.csv,.json,.html" });
	input.className = "unseen";
	const kinds = make("span.quiet", "The zip, or single files: .csv, .json, .html");
	const zone = make("label.drop", make("strong", "Choose files"), " or drop them here", kinds, input);
	on(input, "change", () => {
		if (input.files.length) read([...input.files]);
		input.value = "";
	});
	on(zone, "dragover", (event) => {
		event.preventDefault();
		zone.classList.add("over");
	});
	on(zone, "dragleave", () => zone.classList.remove("over"));
	on(zone, "drop", (event) => {
		event.preventDefault();
		zone.classList.remove("over");
		if (event.dataTransfer.files.length) read([...event.dataTransfer.files]);
	});
	const site = externalLink("https://takeout.google.com/takeout/custom/youtube", "Google Takeout");
	return [
		make("div.heading", heading("takeout-title", "Import from Google Takeout"), make("a", { href: "/" }, "Library")),
		make("p", "YouTube tells no program what is in Watch Later and in your history. Google gives both to you, as a Takeout."),
		make("ol.how",
			make("li", "At ", site, " choose playlists, history and subscriptions, and history in JSON."),
			make("li", "Google sends you a link to a zip. Download it."),
			make("li", "Choose it here. This browser reads it; only the lists that you pick below leave it.")),
		zone, status, problems, results,
	];
}

function read(files) {
	worker?.terminate();
	problems.replaceChildren();
	results.replaceChildren();
	setText(status, "Reading…");
	const own = (worker = new Worker("/takeout-worker.js", { type: "module" }));
	const end = (text) => {
		own.terminate();
		setText(status, text);
	};
	on(own, "error", () => end("These files could not be read. Load the page again, and try once more."));
	on(own, "message", ({ data: { reading, found, failed } }) => {
		if (reading) return setText(status, reading);
		if (failed) return end(`These files could not be read: ${failed}`);
		problems.replaceChildren(...found.problems.map((text) => make("li", text)));
		end(foundText(found));
		api.attempt(async () => showFound(found, (await api.playlists()).playlists), (message) => end(message));
	});
	own.postMessage(files);
}

function foundText({ collections, channels, watched }) {
	const parts = [
		collections.length && countOf(collections.length, "playlist", "playlists"),
		watched && `a history of ${countOf(watched.rows.length, "entry", "entries")}`,
		channels.length && countOf(channels.length, "subscription", "subscriptions"),
	].filter(Boolean);
	return parts.length ? `Found ${parts.join(", ")}.` : "Nothing to import was found.";
}

function showFound(found, playlists) {
	const titles = new Map(playlists.filter(({ kind }) => kind === "collection").map((each) => [each.title, each.playlist_id]));
	const rows = found.collections.map((each) => {
		const unreadable = each.unreadable ? `${countOf(each.unreadable, "line", "lines")} without a video left out` : "";
		return listRow(each.title, () => each.videos, titles, { checked: true, note: unreadable });
	});
	const history = found.watched && historyRow(found.watched, titles);
	const picker = found.channels.length ? channelPicker(withLibrary(found.channels, playlists)) : null;
	const lists = history ? [...rows, history.row] : rows;
	const go = make("button");
	const done = make("ul.lists");
	const showButton = () => {
		const number = lists.filter((each) => each.chosen()).length;
		const channels = picker?.chosen().length ?? 0;
		const parts = [number && countOf(number, "collection", "collections"), channels && countOf(channels, "channel", "channels")];
		setText(go, parts.some(Boolean) ? `Import ${parts.filter(Boolean).join(" and ")}` : "Import");
		go.disabled = !parts.some(Boolean);
	};
	const about = make("p.quiet", "Each list becomes a collection. A collection that you have by this name already gets only the videos that are new.");
	const form = make("form",
		rows.length && make("fieldset", make("legend", "Playlists"), about, make("ul.lists", ...rows.map((each) => each.element))),
		history?.element,
		picker && make("fieldset", make("legend", "Subscriptions"), picker.element),
		make("p", go), done);
	picker?.onChange(showButton);
	on(form, "input", showButton);
	on(form, "submit", (event) => {
		event.preventDefault();
		go.disabled = true;
		run(lists.filter((each) => each.chosen()), picker?.chosen() ?? [], titles, done).finally(showButton);
	});
	showButton();
	results.replaceChildren(lists.length || picker ? form : "");
}

/** Channels that the library has already cannot be picked again. Their uploads are the playlist `UU…`. */
function withLibrary(channels, playlists) {
	const ids = new Set(playlists.map((each) => each.playlist_id));
	return channels.map((each) => ({ ...each, in_library: ids.has(`UU${each.channel_id.slice(2)}`) }));
}

/** One list with a check box and a name that can be changed. `videos()` may change while the user chooses. */
function listRow(title, videos, titles, { checked, note }) {
	const box = make("input", { type: "checkbox", checked, "aria-label": `Import ${title}` });
	const field = make("input", { value: title, maxlength: 150, required: true, "aria-label": `Name of the collection for ${title}` });
	const [amount, about] = [make("span.amount"), make("p.quiet")];
	const element = make("li", make("div.list-row", box, field, amount), about);
	const chosen = () => box.checked && videos().length > 0;
	const list = () => videos().slice(0, MAX_VIDEOS);
	function update() {
		const { length } = videos();
		setText(amount, countVideos(length));
		const cut = length > MAX_VIDEOS ? `Only the first ${count(MAX_VIDEOS)}: a collection holds no more` : "";
		const exists = titles.has(field.value.trim()) ? "You have this collection; it gets what is new" : "";
		setText(about, [note, cut, exists].filter(Boolean).map((each) => `${each}.`).join(" "));
		field.required = box.checked;
	}
	on(element, "input", update);
	update();
	return { element, chosen, list, update, title: () => field.value.trim() };
}

function historyRow(watched, titles) {
	const { rows, removed, ads } = watched;
	const hasTimes = rows.some(([, time]) => time !== null);
	const hasMusic = rows.some(([, , music]) => music);
	const since = make("input", { type: "date" });
	const atLeast = make("input", { type: "number", min: 1, max: 999, value: 1 });
	const music = make("input", { type: "checkbox" });
	let videos = [];
	const choose = () => (videos = chooseWatched(watched, {
		since: since.value ? Date.parse(since.value) : null,
		atLeast: Number(atLeast.value) || 1,
		music: music.checked,
	}));
	choose();
	const oldest = rows.findLast(([, time]) => time !== null)?.[1];
	const note = [
		oldest && `Since ${date(oldest)}`,
		removed && `${countVideos(removed)} removed or private since, left out`,
		ads && `${countOf(ads, "advertisement", "advertisements")} left out`,
		!hasTimes && "The times in this file cannot be read; choose JSON at Google Takeout to choose by date",
	].filter(Boolean).join(". ");
	const row = listRow("Watch history", () => videos, titles, { checked: false, note });
	const element = make("fieldset", make("legend", "History"), make("ul.lists", row.element), make("p.parts",
		hasTimes && make("label.choice", "Watched since ", since),
		make("label.choice", "At least ", atLeast, " times"),
		hasMusic && make("label.choice", music, "with YouTube Music")));
	on(element, "input", () => {
		choose();
		row.update();
	});
	return { row, element };
}

/** Makes one list after the other, and says what became of each. A list that failed can be imported again. */
async function run(lists, channels, titles, done) {
	done.replaceChildren();
	const say = (...content) => done.append(make("li", ...content));
	for (const each of lists) {
		const title = each.title();
		const all = each.list();
		setText(status, `Importing “${title}”…`);
		await api.attempt(async () => {
			if (!titles.has(title)) titles.set(title, (await api.createCollection(title)).playlist_id);
			const id = titles.get(title);
			const sum = { added: 0, already: 0, refused: [] };
			for (let from = 0; from < all.length; from += CHUNK) {
				const answer = await api.addToCollection(id, all.slice(from, from + CHUNK));
				sum.added += answer.added;
				sum.already += answer.already;
				sum.refused.push(...answer.refused);
				setText(status, `Importing “${title}”: ${count(Math.min(from + CHUNK, all.length))} of ${countVideos(all.length)}`);
				if (from + CHUNK >= all.length) await follow(answer);
			}
			const refused = sum.refused.length ? ` ${countVideos(sum.refused.length)} refused: ${sum.refused[0].detail}` : "";
			say(make("a", { href: pageUrl({ collection: id }) }, title), `: ${addedText(sum)}.${refused}`);
		}, (message) => say(make("span.error", `${title}: ${message} You can import it again; nothing is added twice.`)));
	}
	if (channels.length) {
		setText(status, "Adding channels…");
		await api.attempt(async () => say(answerList(await addChannels(channels))), (message) => say(make("span.error", message)));
	}
	setText(status, "Imported. The videos are searchable as soon as they are indexed.");
}
