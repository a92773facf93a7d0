// Imports a Google Takeout: the only way to Watch Later and the history.

import api from "/api.js";
import { addedText } from "/collections.js";
import { byId, externalLink, libraryLink, make, on, setText, showView } from "/dom.js";
import { count, countOf, countVideos, date, sentences } from "/format.js";
import * as jobs from "/jobs.js";
import { pageUrl } from "/router.js";
import { me } from "/session.js";
import { answerList } from "/sources.js";
import { addChannels, channelPicker } from "/subscriptions.js";
import { chooseWatched } from "./takeout-read.js";

const TITLE = "Import from Google Takeout";
const MAX_VIDEOS = 10_000;
const CHUNK = 5_000;
const MAX_PROBLEMS = 10;

/** As the server cleans the title of a collection. It compares titles without regard to case. */
const clean = (title) => title.replace(/\s+/gu, " ").replace(/\p{C}/gu, "").trim();
const keyOf = (title) => title.toLowerCase();

const view = byId("view-takeout");
const [status, problems, results] = [make("p.status", { role: "status" }), make("div.error", { role: "alert" }), make("div")];
let owner = null;
let worker = null;

// Anywhere in the view, because a browser opens a file that misses its place.
for (const name of ["dragover", "dragleave", "drop"]) {
	on(view, name, (event) => {
		event.preventDefault();
		view.classList.toggle("over", name === "dragover");
		if (name === "drop") read([...event.dataTransfer.files]);
	});
}

export function show() {
	// The lists that were read stay on the page until somebody else signs in.
	if (owner !== me) {
		owner = me;
		reset("");
		showView("takeout", TITLE, libraryLink(), ...intro());
	}
	document.title = `${TITLE} · yts`;
}

function reset(text) {
	worker?.terminate();
	problems.replaceChildren();
	results.replaceChildren();
	setText(status, text);
}

function intro() {
	const input = make("input.unseen", { type: "file", multiple: true, accept: ".zip,.csv,.json,.html" });
	const kinds = make("span.quiet", "The zip, or single files: .csv, .json, .html");
	const zone = make("label.drop", make("strong", "Choose files"), " or drop them here", kinds, input);
	on(input, "change", () => {
		read([...input.files]);
		input.value = "";
	});
	const site = externalLink("https://takeout.google.com/takeout/custom/youtube", "Google Takeout");
	return [
		make("p", "YouTube tells no program what is in Watch Later and in your history. Google gives both to you, as a Takeout."),
		make("ol.how",
			make("li", "At ", site, " choose playlists, history and subscriptions, and history in JSON."),
			make("li", "Google sends you a link to a zip. Download it."),
			make("li", "Choose it here. This browser reads it; only the lists that you pick below leave it.")),
		zone, status, problems, results,
	];
}

function read(files) {
	if (!files.length) return;
	reset("Reading…");
	worker = new Worker("/takeout-worker.js", { type: "module" });
	worker.onerror = () => reset("These files could not be read. Load the page again, and try once more.");
	worker.onmessage = ({ data: { reading, found } }) => {
		if (reading) return setText(status, reading);
		reset(foundText(found));
		const more = found.problems.splice(MAX_PROBLEMS).length;
		if (more) found.problems.push(`And ${count(more)} more.`);
		problems.append(...found.problems.map((text) => make("p", text)));
		api.attempt(async () => showFound(found, (await api.playlists()).playlists), reset);
	};
	worker.postMessage(files);
}

const some = ({ length }, ...words) => length > 0 && countOf(length, ...words);

function foundText({ collections, channels, watched }) {
	const parts = [
		some(collections, "playlist", "playlists"),
		watched && `a history of ${countOf(watched.rows.length, "entry", "entries")}`,
		some(channels, "subscription", "subscriptions"),
	].filter(Boolean);
	return parts.length ? `Found ${parts.join(", ")}.` : "Nothing to import was found.";
}

function showFound(found, playlists) {
	const titles = new Map(playlists.filter(({ kind }) => kind === "collection").map((each) => [keyOf(each.title), each.playlist_id]));
	const rows = found.collections.map(({ title, videos, unreadable: lines }) =>
		listRow(title, () => videos, titles, lines && `${countOf(lines, "line", "lines")} without a video left out`));
	const history = found.watched && historyRow(found.watched, titles);
	// The uploads of a channel are the playlist `UU…`.
	const ids = new Set(playlists.map((each) => each.playlist_id));
	const channels = found.channels.map((each) => ({ ...each, in_library: ids.has(`UU${each.channel_id.slice(2)}`) }));
	const picker = channels.length > 0 && channelPicker(channels);
	const picked = () => (picker ? picker.chosen() : []);
	const chosen = () => [...rows, history?.row].filter((each) => each?.chosen());
	const [go, done] = [make("button"), make("ul.lists")];
	const showButton = () => {
		const parts = [some(chosen(), "collection", "collections"), some(picked(), "channel", "channels")].filter(Boolean);
		setText(go, `Import ${parts.join(" and ")}`);
		go.disabled = !parts.length;
	};
	const about = "Each list becomes a collection. A collection that you have by this name already gets only the videos that are new.";
	const form = make("form",
		rows.length && fieldset("Playlists", make("p.quiet", about), make("ul.lists", ...rows.map((each) => each.element))),
		history?.element,
		picker && fieldset("Subscriptions", picker.element),
		make("p", go), done);
	if (picker) picker.onChange(showButton);
	on(form, "input", showButton);
	on(form, "submit", (event) => {
		event.preventDefault();
		go.disabled = true;
		run(chosen(), picked(), titles, done).finally(showButton);
	});
	showButton();
	if (form.elements.length > 1) results.replaceChildren(form);
}

const fieldset = (title, ...content) => make("fieldset", make("legend", title), ...content);

/** One list with a check box and a name that can be changed. `videos()` may change while the user chooses. */
function listRow(title, videos, titles, note, checked = true) {
	const box = make("input", { type: "checkbox", checked, "aria-label": `Import ${title}` });
	const field = make("input", { value: title, maxlength: 150, "aria-label": `Name of the collection for ${title}` });
	const [amount, about] = [make("span.amount"), make("p.quiet")];
	const element = make("li", make("div.list-row", box, field, amount), about);
	const name = () => clean(field.value) || clean(title);
	function update() {
		const { length } = videos();
		setText(amount, countVideos(length));
		setText(about, sentences(note,
			length > MAX_VIDEOS && `Only the first ${count(MAX_VIDEOS)}: a collection holds no more`,
			titles.has(keyOf(name())) && "You have this collection; it gets what is new"));
	}
	on(element, "input", update);
	update();
	return { element, name, update, chosen: () => box.checked && videos().length > 0, list: () => videos().slice(0, MAX_VIDEOS) };
}

function historyRow(watched, titles) {
	const { rows, removed, ads } = watched;
	const oldest = rows.findLast(([, time]) => time !== null)?.[1];
	const since = make("input", { type: "date" });
	const atLeast = make("input", { type: "number", min: 1, value: 1 });
	const music = make("input", { type: "checkbox" });
	let videos;
	const choose = () => (videos = chooseWatched(rows, since.value ? Date.parse(since.value) : null, atLeast.value || 1, music.checked));
	choose();
	const row = listRow("Watch history", () => videos, titles, sentences(
		oldest ? `Since ${date(oldest)}` : "The times in this file cannot be read. To choose by date, choose JSON at Google Takeout",
		removed && `${countVideos(removed)} removed or private since, left out`,
		ads && `${countOf(ads, "advertisement", "advertisements")} left out`,
	).slice(0, -1), false);
	const element = fieldset("History", make("ul.lists", row.element), make("p.parts",
		oldest && make("label.choice", "Watched since ", since),
		make("label.choice", "At least ", atLeast, " times"),
		rows.some((each) => each[2]) && make("label.choice", music, "with YouTube Music")));
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
	let imported = 0;
	for (const each of lists) {
		const title = each.name();
		const all = each.list();
		const sum = { added: 0, already: 0, refused: [] };
		setText(status, `Importing “${title}”…`);
		await api.attempt(async () => {
			const key = keyOf(title);
			if (!titles.has(key)) titles.set(key, (await api.createCollection(title)).playlist_id);
			const id = titles.get(key);
			for (let from = 0; from < all.length; from += CHUNK) {
				const answer = await api.addToCollection(id, all.slice(from, from + CHUNK));
				sum.added += answer.added;
				sum.already += answer.already;
				sum.refused.push(...answer.refused);
				await jobs.follow(answer.job_id);
			}
			const refused = sum.refused.length ? ` ${countVideos(sum.refused.length)} refused: ${sum.refused[0].detail}` : "";
			say(make("a", { href: pageUrl({ collection: id }) }, title), `: ${addedText(sum)}.${refused}`);
			imported += 1;
		}, (message, code) => {
			const again = code >= 400 && code < 500 ? "" : " You can import it again; nothing is added twice.";
			say(make("span.error", `${title}: ${message}${again}`));
		});
	}
	if (channels.length) {
		await api.attempt(async () => {
			say(answerList(await addChannels(channels)));
			imported += 1;
		}, (message) => say(make("span.error", message)));
	}
	setText(status, imported ? "Imported. The videos are searchable as soon as they are indexed." : "Nothing was imported.");
}
