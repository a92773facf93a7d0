// The view of one video: the player, after a click, beside the words.

import * as api from "/api.js";
import { copy, save, toast } from "/dialogs.js";
import { button, byId, heading, icon, linkTo, make, picture, say, youtubeLink } from "/dom.js";
import { length, moment } from "/format.js";
import { facts } from "/hits.js";
import { playerIn } from "/player.js";
import { address, go, remember, state } from "/router.js";
import { me } from "/session.js";
import { transcriptOf } from "/transcript.js";

const FORMATS = { txt: "Text", srt: "Subtitles (SRT)", vtt: "Subtitles (WebVTT)" };

let shown = null;
let running = null;

export async function show(parameters) {
	const [id, q, t] = ["v", "q", "t"].map((name) => parameters.get(name));
	hide();
	const mine = (running = new AbortController());
	const place = byId("view-watch");
	const waiting = make("div.stage", make("div.player.skeleton"), heading("watch-title", "Video"));
	place.replaceChildren(waiting, make("div.transcript.skeleton"));
	scrollTo(0, 0);
	try {
		await api.attempt(async () => {
			const video = await api.video(id, q, mine.signal);
			document.title = `${video.title} · yts`;
			shown = watching(video, q, t);
			place.replaceChildren(...shown.elements);
			shown.begin(state().play);
			// Coming back to this address, or loading it again, shows the video without starting it.
			if (state().play) remember({ play: false });
		}, (message) => {
			const youtube = youtubeLink(id, "Look for it on YouTube");
			const why = make("p", { role: "alert" }, message);
			place.replaceChildren(make("div.stage", heading("watch-title", "This video is not here"), why, make("p", youtube)));
		});
		byId("watch-title").focus({ preventScroll: true });
	} catch (error) {
		if (!mine.signal.aborted) throw error;
	}
}

export function hide() {
	running?.abort();
	shown?.close();
	shown = null;
}

export function key(name) {
	const act = shown?.keys[name];
	act?.();
	return Boolean(act);
}

function watching(video, q, t) {
	const { video_id: id, title, duration_seconds: duration } = video;
	const transcript = video.lines.length ? transcriptOf(video, seek) : null;
	// Without a second of its own, it begins where the first match is.
	let second = t === null ? (transcript?.first ?? 0) : Math.max(0, Number.parseInt(t, 10) || 0);

	const from = make("span.from");
	const covers = [
		picture(video.thumbnail_url) ?? "",
		make("span.start", icon("play"), from),
		duration ? make("span.duration", length(duration)) : "",
	];
	const poster = button(".poster", covers, play, { "aria-label": `Play ${title}` });
	const box = make("div.player", poster);
	const player = playerIn(box, me.player_base_url, { time: (now) => transcript?.playing(now), trouble: stuck });
	const now = () => player.time() ?? second;
	const url = (at) => `${video.url}&t=${Math.floor(at)}s`;

	const keys = {
		n: () => transcript?.step(1),
		p: () => transcript?.step(-1),
		k: () => (player.isOpen() ? player.toggle() : play()),
		c: () => copy(url(now()), `The link to ${moment(now())} is copied.`),
		f: () => transcript?.follow(),
		Escape: () => {
			if (state().from !== undefined) history.back();
			else go(q ? address({ q }) : "/");
		},
	};

	const formats = Object.entries(FORMATS).map(([format, name]) => button("", name, () => download(format)));
	const tools = make(
		"div.tools",
		button(".soft", "Copy link", keys.c),
		transcript && button(".soft", "Copy quote", copyQuote),
		transcript && make("details.menu", make("summary.soft", "Download"), make("div", ...formats)),
		linkTo(video.url, { class: "soft" }, "YouTube"),
	);
	const trouble = make("p.note", { role: "status", hidden: true });
	const description = make("p", video.description);
	const why = "YouTube has no captions of this video: only its title and description can be searched.";
	const stage = make(
		"div.stage",
		button(".plain.back", [icon("back"), q ? "Results" : "Back"], keys.Escape),
		box,
		trouble,
		heading("watch-title", title),
		make("p.facts", ...facts(video)),
		tools,
		video.description && make("details.about", make("summary", "Description"), description),
	);
	const none = make("section.transcript.none", make("h2", "No captions"), make("p", why));

	function begin(playing) {
		transcript?.begin(second);
		turnTo(second);
		if (playing) play();
	}

	function play() {
		player.play(id, title, second);
		poster.hidden = true;
	}

	function seek(to, clicked) {
		turnTo(to);
		const parameters = new URLSearchParams(location.search);
		parameters.set("t", Math.floor(to));
		history.replaceState(history.state, "", address(parameters));
		if (clicked || player.isOpen()) play();
	}

	function turnTo(to) {
		second = to;
		say(from, to ? `from ${moment(to)}` : "");
	}

	function copyQuote() {
		const quote = transcript.quote(now());
		const source = `(${title}, ${moment(quote.second)}) ${url(quote.second)}`;
		copy(`“${quote.text}” ${source}`, "The quote is copied, with its source.");
	}

	function download(format) {
		api.attempt(() => save(api.file(`/api/videos/${encodeURIComponent(id)}?format=${format}`), `${id}.${format}`), toast);
	}

	function stuck(text) {
		trouble.hidden = !text;
		const link = linkTo(url(second), {}, "YouTube has the video");
		trouble.replaceChildren(`${text} The transcript works, and `, link, ".");
	}

	return { elements: [stage, transcript?.element ?? none], keys, begin, close: player.close };
}
