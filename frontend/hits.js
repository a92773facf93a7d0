// What was found: videos, and the moments in which it is said.

import { make, marked, picture } from "/dom.js";
import { day, languageName, length, many, moment, spoken } from "/format.js";

export function hitElement(hit, q) {
	const text = make(
"div.hit-text",
		make(
			"h2",
			{ dir: "auto" },
			make(
				"a",
				{ href: watchAddress(hit.video_id, q), "data-key": hit.video_id, tabindex: "-1" },
				...marked(hit.title),
			),
		),
		make("p.facts", ...facts(hit)),
	);
	if (hit.description.some((segment) => segment.match)) {
		text.append(make("p.description", { dir: "auto" }, ...marked(hit.description)));
	}
	if (hit.moments.length) text.append(momentsElement(hit, q));
	return make("article.hit", { "data-video-id": hit.video_id }, thumbnail(hit, q), text);
}

export function watchAddress(video, q, second = null) {
	const parameters = new URLSearchParams({ v: video });
	if (second !== null) parameters.set("t", Math.floor(second));
	if (q) parameters.set("q", q);
	return `/?${parameters}`;
}

function momentsElement(hit, q) {
	const list = make("ol.moments");
	for (const each of hit.moments) {
		const link = make(
			"a",
			{
				href: watchAddress(hit.video_id, q, each.start),
				"data-key": `${hit.video_id}:${each.start}`,
				"data-play": true,
				tabindex: "-1",
			},
			make("time", { datetime: `PT${Math.floor(each.start)}S` }, moment(each.start)),
			" ",
			make("span.snippet", { ...spoken(hit.language) }, ...marked(each.snippet)),
		);
		list.append(make("li", link));
	}
	const more = hit.moment_count - hit.moments.length;
	if (more > 0) list.append(make("li.quiet", `and ${many(more, "more moment", "more moments")}`));
	return list;
}

export function facts(video) {
	const parts = [];
	if (video.channel) parts.push(make("span.channel", { dir: "auto" }, video.channel));
	if (video.published_at) {
		parts.push(make("time", { datetime: video.published_at }, day(video.published_at)));
	}
	if (video.language) {
		parts.push(make("span", languageName(video.language) + (video.generated ? ", automatic captions" : "")));
	} else {
		parts.push(make("span", "no captions"));
	}
	return parts;
}

function thumbnail(hit, q) {
	// One link to the video is enough for the keyboard, and for those who hear the page.
	return make(
		"a",
		{ class: "thumbnail", href: watchAddress(hit.video_id, q), tabindex: "-1", "aria-hidden": "true" },
		picture(hit.thumbnail_url),
		hit.duration_seconds ? make("span.duration", length(hit.duration_seconds)) : null,
	);
}
