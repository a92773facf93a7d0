import { highlight, icon, make, picture } from "/dom.js";
import { ago, countOf, date, duration, languageAttributes, languageName, timestamp } from "/format.js";
import { videoUrl } from "/router.js";
import { isGuest } from "/session.js";

/**
 * `rows`: its places, each an `li`; `by`: how it was found, if not by words; `level`: of its heading. `lost`: words
 * that no hit has, so that there is no use in requiring them.
 */
export function hitElement({ video_id: v, ...hit }, q, { rows = momentRows(v, hit, q), by = "", level = "h2", lost = [] } = {}) {
	const href = videoUrl(v, q, null, null, { by });
	const key = by && `${by}:`;
	const title = hit.title.map(({ text }) => text).join("");
	const descriptionMatches = hit.description.some(({ match }) => match);
	return make(
		"article.hit",
		{ "data-video-id": v },
		// The title has the same link, so keyboards and screen readers skip this one.
		make("a.thumbnail", { href, tabindex: -1, "aria-hidden": "true" }, picture(hit.thumbnail_url), durationLabel(hit)),
		make(level, make("a", { href, "data-key": key + v, tabindex: -1 }, ...highlight(hit.title))),
		make("p.facts", ...facts(hit)),
		hit.missing?.length && make("p.missing", "Missing: ", ...hit.missing.map((word) => missingWord(v, word, lost))),
		descriptionMatches && make("p.description", ...highlight(hit.description)),
		rows.length && make("ol.moments", ...rows),
		// The page opens the dialog, so that fifty results need no fifty listeners.
		!isGuest() && make("button.round.save", { type: "button", title: "Save", tabindex: -1, "data-id": v, "data-title": title,
			"data-key": `${key}save:${v}`, "aria-label": `Save ${title} to a collection` }, icon("bookmark")),
	);
}

function momentRows(v, hit, q) {
	const rows = hit.moments.map(({ start, line, snippet, chapter, is_chapter: isChapter }, index, all) => {
		const key = `${v}:${start}${start === all[index - 1]?.start ? `:${line}` : ""}`;
		const attributes = { href: videoUrl(v, q, start, line), "data-key": key, "data-play": true, tabindex: -1 };
		const name = isChapter ? "Chapter" : chapter !== all[index - 1]?.chapter && chapter;
		const text = make("span.snippet", languageAttributes(hit.language), ...highlight(snippet), name && make("small.quiet", name));
		return make("li", make("a", attributes, timeLabel(start), " ", text));
	});
	const more = hit.moment_count - rows.length;
	if (more > 0) rows.push(make("li.quiet", `and ${countOf(more, "more moment", "more moments")}`));
	return rows;
}

/** The search view listens for clicks, as above. */
const missingWord = (v, word, lost) => lost.includes(word) ? make("s", word)
	: make("button.chip", { type: "button", tabindex: -1, title: "Require this word", "data-require": word,
		"data-key": `require:${v}:${word}`, "aria-label": `Require the missing word ${word}` }, make("s", word), icon("plus"));

export const timeLabel = (start) => make("time", { datetime: `PT${start}S` }, timestamp(start));

export const durationLabel = ({ duration_seconds: seconds }) => seconds && make("span.duration", duration(seconds));

const STRENGTHS = { strong: "Strong", good: "Good", weak: "Weak" };

/** How near in meaning. */
export const strengthLabel = (strength) => make(`small.strength.${strength}`, STRENGTHS[strength] ?? strength, make("span.unseen", " match"));

export function facts({ channel, published_at: published, language, generated, gone, added_at: added }) {
	const captions = language ? languageName(language) + (generated ? ", automatic captions" : "") : "no captions";
	return [
		channel && make("span.channel", channel),
		published && make("time", { datetime: published }, date(published)),
		make("span", captions),
		added && make("span", `added ${ago(added)}`),
		gone && make("span", "No longer on YouTube; kept here as it was indexed"),
	];
}
