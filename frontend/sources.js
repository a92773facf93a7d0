// The box of the library, which takes playlists, channels and videos, and what each line was taken for.

import api from "/api.js";
import { actionButton, onSubmit, toast } from "/dialogs.js";
import { button, byId, errorLine, make, on, setText } from "/dom.js";
import { count, countOf, countVideos, date, join, span } from "/format.js";
import * as jobs from "/jobs.js";
import { pageUrl } from "/router.js";

const DRAFT = "yts-draft";
const MAX_ROWS = 8;
// More jobs are followed as soon as the library is loaded again.
const MAX_FOLLOWED = 20;
const KINDS = { playlist: "Playlist", channel: "Channel", video: "Video", nothing: "Not added" };

const input = byId("source");
const answers = byId("answers");
let changed = async () => {};

/** `onChange()` is called after sources were added. */
export function setUp({ onChange }) {
	changed = onChange;
	setDraft(sessionStorage.getItem(DRAFT) ?? "");
	on(input, "input", () => setDraft(input.value));
	on(input, "keydown", (event) => {
		if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
		event.preventDefault();
		byId("start").requestSubmit();
	});
	onSubmit(byId("start"), submit, showError);
}

export function clear() {
	answers.hidden = true;
	answers.replaceChildren();
}

function setDraft(text) {
	if (input.value !== text) input.value = text;
	input.rows = Math.min(text.split("\n").length, MAX_ROWS);
	sessionStorage.setItem(DRAFT, text);
}

function showError(message) {
	setText(byId("start-error"), message);
	input.ariaInvalid = Boolean(message);
	if (message) input.focus();
}

async function submit() {
	clear();
	const answer = await api.addSources(input.value);
	const refused = answer.lines.filter((line) => line.taken_for === "nothing" || (line.detail && !line.job_id && !line.choice));
	// Lines that cannot be taken stay in the box, to be corrected.
	setDraft(refused.map(({ text }) => text).join("\n"));
	if (answer.lines.length === 1 && refused.length) showError(refused[0].detail);
	else if (answer.lines.length === 1 && answer.lines[0].taken_for === "playlist") {
		toast("Indexing has started. You can search now, or close this tab.");
	} else {
		answers.replaceChildren(answerList(answer), button(".soft", "Close", clear));
		answers.hidden = false;
	}
	await followJobs(answer);
}

export async function followJobs({ lines, collection }) {
	const ids = [...lines, collection].map((each) => each?.job_id).filter(Boolean);
	await Promise.all([...new Set(ids)].slice(0, MAX_FOLLOWED).map(jobs.follow));
	await changed();
}

/** What each line was taken for. A large channel can be chosen from here. */
export function answerList({ lines, collection }) {
	const taken = lines.filter((line) => line.taken_for !== "nothing").length;
	const text = `${count(taken)} of ${countOf(lines.length, "line", "lines")} taken.`;
	const saved = collection && make("span", ` ${countVideos(collection.added)} added to `,
		make("a", { href: pageUrl({ collection: collection.playlist_id }) }, collection.title), ".");
	return make("div.answers", make("p", { role: "status" }, make("strong", text), saved), make("ul", { tabindex: 0, "aria-label": "Lines" }, ...lines.map(answer)));
}

function answer(line) {
	const item = make("li", make(`span.kind${line.taken_for === "nothing" ? ".error" : ""}`, KINDS[line.taken_for]),
		!line.choice && make("span.name", line.title || line.text), line.detail && make("span.quiet", line.detail));
	if (line.choice) {
		const start = async (channel) => {
			const { job_id: job } = await api.startIndexing(line.playlist_id ?? line.text, { channel });
			form.replaceWith(make("span.quiet", "Indexing has started."));
			await jobs.follow(job);
			await changed();
		};
		const form = choiceForm(line.title || line.text, line.choice, start);
		item.append(form);
	}
	return item;
}

/**
 * Which videos of a channel to index. `estimate`: `{videos, seconds, units}` of all of them, or null; `start(channel)`
 * indexes them; `channel` is what was chosen before.
 */
export function choiceForm(title, estimate, start, channel = { shorts: true, live: true }) {
	const box = (type, label, checked) =>
		make("label.choice", make("input", { type, checked, name: type === "radio" && `part of ${title}` }), label);
	const shorts = box("checkbox", "Shorts", channel.shorts);
	const live = box("checkbox", "Live streams", channel.live);
	const all = box("radio", "All videos", !channel.newest && !channel.since);
	const newest = box("radio", "The newest", channel.newest);
	const since = box("radio", "Since", channel.since);
	const number = make("input", { type: "number", min: 1, max: 20000, required: true, value: channel.newest ?? 500, "aria-label": "How many of the newest" });
	const day = make("input", { type: "date", value: channel.since, "aria-label": "Published since" });
	const cost = make("p.quiet", { role: "status" });
	const [problem, showProblem] = errorLine();
	const go = actionButton("", "Start indexing", async () => {
		if (since.control.checked && !day.value) return showProblem("Choose a date.");
		if (newest.control.checked && !number.checkValidity()) return showProblem("Choose a number from 1 to 20,000.");
		await start({
			shorts: shorts.control.checked,
			live: live.control.checked,
			newest: newest.control.checked ? Number(number.value) : null,
			since: since.control.checked ? day.value : null,
		});
	}, showProblem);

	function showCost() {
		const { videos, seconds, units } = estimate;
		const part = newest.control.checked && videos ? Math.min(number.value / videos, 1) : 1;
		const price = `${span(seconds * part)}, and ${countOf(Math.ceil(units * part), "unit", "units")} of YouTube's daily quota.`;
		setText(cost, `${since.control.checked ? "At most" : "About"} ${price}`);
	}

	on(number, "input", () => (newest.control.checked = true));
	on(day, "input", () => (since.control.checked = true));
	const name = estimate?.videos ? `${title} has ${countVideos(estimate.videos)}` : title;
	const form = make("fieldset.parts", make("legend", name), make("p", shorts, live),
		make("p", all, make("span.choice", newest, number), make("span.choice", since, day)), estimate && cost, problem, make("p", go));
	if (estimate) {
		on(form, "input", showCost);
		showCost();
	}
	return form;
}

/** `newest 500 · without Shorts`, for a card. */
export const channelText = ({ shorts, live, newest, since }) => join([
	newest && `the newest ${count(newest)}`,
	since && `since ${date(since)}`,
	!shorts && "without Shorts",
	!live && "without live streams",
]);
