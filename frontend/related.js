// Related places: where else in the library something like a moment of a video is said.

import api from "/api.js";
import { button, errorLine, fill, make, picture, rovingTabindex, setText } from "/dom.js";
import { timestamp } from "/format.js";
import { strengthLabel } from "/hits.js";
import { videoUrl } from "/router.js";

const QUOTED = 140;

const placeLink = ({ video_id: v, title, channel, thumbnail_url: url, start, end, line, text, strength }, index) => make("li", make(
	"a.place",
	{ href: videoUrl(v, "", start, line, { until: end }), "data-play": true, tabindex: index ? -1 : 0 },
	make("span.thumbnail", picture(url), make("time.duration", { datetime: `PT${start}S` }, timestamp(start))),
	make("span.place-text",
		make("strong", { dir: "auto" }, title),
		make("span.quiet", channel, strengthLabel(strength)),
		make("span.snippet", { dir: "auto" }, text)),
));

/** Fills `box` for a second of a video. `onClose()`: the user closed it. `focus`: the user has just asked for it. */
export async function showRelated(box, id, second, signal, focus, onClose) {
	const status = make("p.quiet", { role: "status" }, "Looking for related places …");
	const [problem, showProblem] = errorLine();
	const title = make("h2", { id: "related-title", tabindex: -1 }, "Related places");
	const list = make("ol.places");
	rovingTabindex(list, () => [...list.querySelectorAll("a")], () => title.focus());
	fill(box, make("div.dialog-head", title, button(".round", "✕", onClose, { "aria-label": "Close related places" })), status, problem, list);
	box.hidden = false;
	if (focus) title.focus({ preventScroll: true });
	const scroll = () => focus && box.scrollIntoView({ block: "nearest" });
	scroll();
	await api.attempt(async () => {
		const { passage, places, notices } = await api.related(id, second, signal);
		if (!passage) return setText(status, notices.join(" "));
		const words = [...passage.text];
		const quote = words.length > QUOTED ? `${words.slice(0, QUOTED).join("")} …` : passage.text;
		setText(status, places.length
			? `Near in meaning to ${timestamp(passage.start)}: “${quote}”`
			: `Nothing else in your library is near in meaning to ${timestamp(passage.start)}: “${quote}”`);
		list.append(...places.map(placeLink));
		scroll();
	}, (message) => {
		setText(status, "");
		showProblem(message);
	});
}
