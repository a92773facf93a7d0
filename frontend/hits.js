// What was found: videos, and the moments in which it is said.

import { make, marked, picture } from "/dom.js";
import { day, languageName, length, many, moment, spoken } from "/format.js";
import { address } from "/router.js";

export function hitElement({ video_id: v, ...hit }, q) {
	const words = q ? { q } : {};
	const href = address({ v, ...words });
	const title = make("a", { href, "data-key": v, tabindex: "-1" }, ...marked(hit.title));
	const described = hit.description.some(({ match }) => match);
	const moments = hit.moments.map(({ start, snippet }) => {
		const t = Math.floor(start);
		const attributes = { href: address({ v, t, ...words }), "data-key": `${v}:${start}`, "data-play": true, tabindex: "-1" };
		const text = make("span.snippet", spoken(hit.language), ...marked(snippet));
		return make("li", make("a", attributes, make("time", { datetime: `PT${t}S` }, moment(start)), " ", text));
	});
	const more = hit.moment_count - moments.length;
	if (more > 0) moments.push(make("li.quiet", `and ${many(more, "more moment", "more moments")}`));
	return make(
		"article.hit",
		{ "data-video-id": v },
		// One link to the video is enough for the keyboard, and for those who hear the page.
		make(
			"a.thumbnail",
			{ href, tabindex: "-1", "aria-hidden": "true" },
			picture(hit.thumbnail_url),
			hit.duration_seconds && make("span.duration", length(hit.duration_seconds)),
		),
		make("h2", title),
		make("p.facts", ...facts(hit)),
		described && make("p.description", ...marked(hit.description)),
		moments.length && make("ol.moments", ...moments),
	);
}

/** Channel, date and captions of a video, as far as they are known. */
export function facts({ channel, published_at: published, language, generated }) {
	const captions = language ? languageName(language) + (generated ? ", automatic captions" : "") : "no captions";
	return [
		channel && make("span.channel", channel),
		published && make("time", { datetime: published }, day(published)),
		make("span", captions),
	];
}
