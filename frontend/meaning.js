// Search by meaning: passages, and the list below the words of a question.

import api from "/api.js";
import { fill, highlight, make, setText, withBusyBar } from "/dom.js";
import { count, countVideos, languageAttributes, languageName } from "/format.js";
import { hitElement, strengthLabel, timeLabel } from "/hits.js";
import { pageUrl, videoUrl } from "/router.js";

const OFFERED = 5;
// Characters that are shown before and after the nearest sentence, and twice as many where none is marked.
const AROUND = 110;

const joined = (parts) => parts.map(({ text }) => text).join("");
const backwards = (text) => [...text].reverse().join("");

/** Cut where possible between words. */
function beginning(text, size = AROUND) {
	const cut = [...text].slice(0, size).join("");
	return cut === text ? text : `${backwards(backwards(cut).replace(/^\S{0,20}\s/, ""))} …`;
}

/** The nearest sentence of a passage, marked, with what was said around it. */
function nearest(segments) {
	const first = Math.max(segments.findIndex(({ match }) => match), 0);
	const end = segments.findLastIndex(({ match }) => match) + 1;
	const before = backwards(beginning(backwards(joined(segments.slice(0, first)))));
	const after = beginning(joined(segments.slice(end)), end ? AROUND : 2 * AROUND);
	return [{ text: before }, ...segments.slice(first, end), { text: after }];
}

export function passageHit(hit, q, level) {
	const { video_id: v, language } = hit;
	const rows = hit.passages.map(({ start, end, line, text, strength }) => {
		const href = videoUrl(v, q, start, line, { until: end, by: "meaning" });
		const attributes = { href, "data-key": `meaning:${v}:${start}`, "data-play": true, tabindex: -1 };
		const words = make("span.snippet", languageAttributes(language), ...highlight(nearest(text)));
		return make("li", make("a", attributes, make("span.when", timeLabel(start), strengthLabel(strength)), " ", words));
	});
	return hitElement(hit, q, { rows, by: "meaning", level });
}

/** What to say while not all videos can be searched by meaning; "" if they can. */
export const stateText = ({ videos, of }) =>
	videos < of ? `${count(videos)} of ${countVideos(of)} can be searched by meaning so far. Words find the others.` : "";

export function languagesNote({ languages }) {
	if (!languages.length) return null;
	const names = languages.map(languageName).sort(new Intl.Collator("en").compare);
	return make("p.quiet", `Search by meaning knows ${new Intl.ListFormat("en").format(names)}. Words find videos in other languages.`);
}

/** The parameters of a search by meaning for what is searched by words. */
export function meaningParams(params) {
	const wanted = new URLSearchParams(params);
	for (const name of ["sort", "require", "in", "new_in"]) wanted.delete(name);
	wanted.set("by", "meaning");
	return wanted;
}

/** Fills the list below the words. Resolves to the number of videos that it shows. */
export async function offer(section, params, signal) {
	const wanted = meaningParams(params);
	const status = make("p.quiet", { role: "status" }, "Searching by meaning …");
	const list = make("div.hits");
	const title = make("h2", { id: "by-meaning-title", tabindex: -1 }, "By meaning");
	const show = (...more) => fill(section, make("div.heading", title, status), list, ...more);
	// The passages of an earlier query stay until there are new ones.
	if (!section.childNodes.length) show();
	const asked = new URLSearchParams(wanted);
	asked.set("limit", OFFERED);
	await api.attempt(async () => {
		const { hits, total, meaning, notices = [] } = await withBusyBar(api.search(asked, signal, false));
		const q = params.get("q");
		list.append(...hits.map((hit) => passageHit(hit, q, "h3")));
		const all = total > hits.length && make("a.soft", { href: pageUrl(wanted) }, `All ${countVideos(total)} by meaning`);
		show(all, languagesNote(meaning));
		setText(status, [...notices, stateText(meaning)].join(" ").trim());
	}, (message) => {
		show();
		setText(status, message);
	});
	return list.children.length;
}
