import { highlight, icon, make, picture } from "/dom.js";
import { ago, countOf, date, duration, languageAttributes, languageName, timestamp } from "/format.js";
import { videoUrl } from "/router.js";
import { isGuest } from "/session.js";

export function hitElement({ video_id: v, ...hit }, q) {
	const href = videoUrl(v, q);
	const title = hit.title.map(({ text }) => text).join("");
	const descriptionMatches = hit.description.some(({ match }) => match);
	const moments = hit.moments.map(({ start, line, snippet, chapter, is_chapter: isChapter }, index, all) => {
		const key = `${v}:${start}${start === all[index - 1]?.start ? `:${line}` : ""}`;
		const attributes = { href: videoUrl(v, q, start, line), "data-key": key, "data-play": true, tabindex: -1 };
		const name = isChapter ? "Chapter" : chapter !== all[index - 1]?.chapter && chapter;
		const text = make("span.snippet", languageAttributes(hit.language), ...highlight(snippet), name && make("small.quiet", name));
		return make("li", make("a", attributes, make("time", { datetime: `PT${start}S` }, timestamp(start)), " ", text));
	});
	const more = hit.moment_count - moments.length;
	if (more > 0) moments.push(make("li.quiet", `and ${countOf(more, "more moment", "more moments")}`));
	return make(
		"article.hit",
		{ "data-video-id": v },
		// The title has the same link, so keyboards and screen readers skip this one.
		make("a.thumbnail", { href, tabindex: -1, "aria-hidden": "true" }, picture(hit.thumbnail_url), durationLabel(hit)),
		make("h2", make("a", { href, "data-key": v, tabindex: -1 }, ...highlight(hit.title))),
		make("p.facts", ...facts(hit)),
		descriptionMatches && make("p.description", ...highlight(hit.description)),
		moments.length && make("ol.moments", ...moments),
		// The page opens the dialog, so that fifty results need no fifty listeners.
		!isGuest() && make("button.round.save", { type: "button", title: "Save", tabindex: -1, "data-id": v, "data-title": title, "data-key": `save:${v}`,
			"aria-label": `Save ${title} to a collection` }, icon("bookmark")),
	);
}

export const durationLabel = ({ duration_seconds: seconds }) => seconds && make("span.duration", duration(seconds));

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
