// The view of one video: the player, after a click, beside the words.

import * as api from "/api.js";
import { copy, save, toast } from "/dialogs.js";
import { attempt, button, byId, icon, linkTo, make, picture } from "/dom.js";
import { length, moment } from "/format.js";
import { facts } from "/hits.js";
import { Player } from "/player.js";
import { address, go, remember, state } from "/router.js";
import { me } from "/session.js";
import { Transcript } from "/transcript.js";

const FORMATS = { txt: "Text", srt: "Subtitles (SRT)", vtt: "Subtitles (WebVTT)" };

let shown = null;
let running = null;

export async function show(parameters) {
	const [id, q, t] = ["v", "q", "t"].map((name) => parameters.get(name));
	hide();
	const mine = (running = new AbortController());
	const place = byId("view-watch");
	const heading = (text) => make("h1", { id: "watch-title", tabindex: "-1", dir: "auto" }, text);
	const waiting = make("div.stage", make("div.player.skeleton"), heading("Video"));
	place.replaceChildren(waiting, make("div.transcript.skeleton"));
	scrollTo(0, 0);
	try {
		await attempt(async () => {
			const video = await api.video(id, q, mine.signal);
			document.title = `${video.title} · yts`;
			shown = new View(video, heading(video.title), q, t);
			place.replaceChildren(...shown.elements);
			shown.begin(state().play);
			// Coming back to this address, or loading it again, shows the video without starting it.
			if (state().play) remember({ play: false });
		}, (message) => {
			const youtube = linkTo(`https://www.youtube.com/watch?v=${encodeURIComponent(id)}`, {}, "Look for it on YouTube");
			place.replaceChildren(heading("This video is not here"), make("p", { role: "alert" }, message), youtube);
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
	const act = { n: "next", p: "previous", k: "toggle", c: "copyLink", f: "follow", Escape: "back" }[name];
	if (act) shown?.[act]();
	return Boolean(act);
}

class View {
	#video;
	#q;
	#second;
	#from = make("span.from");
	#trouble = make("p.note", { role: "status", hidden: true });
	#poster;
	#player;
	#transcript = null;

	constructor(video, heading, q, t) {
		this.#video = video;
		this.#q = q;
		const said = video.lines.length > 0;
		if (said) this.#transcript = new Transcript(video, (to, clicked) => this.#seek(to, clicked));
		// Without a second of its own, it begins where the first match is.
		this.#second = t === null ? (this.#transcript?.first ?? 0) : Math.max(0, Number.parseInt(t, 10) || 0);
		const start = make("span.start", icon("play"), this.#from);
		const duration = video.duration_seconds && make("span.duration", length(video.duration_seconds));
		const attributes = { class: "poster", "aria-label": `Play ${video.title}` };
		this.#poster = button([picture(video.thumbnail_url) ?? "", start, duration || ""], () => this.play(), attributes);
		const box = make("div.player", this.#poster);
		this.#player = new Player(box, me.player_base_url, {
			time: (now) => this.#transcript?.spoken(now),
			trouble: (text) => this.#stuck(text),
		});
		const back = button([icon("back"), q ? "Results" : "Back"], () => this.back(), { class: "plain back" });
		const description = make("p", { dir: "auto" }, video.description);
		const about = video.description && make("details.about", make("summary", "Description"), description);
		const details = [heading, make("p.facts", ...facts(video)), this.#tools(said), about || ""];
		const why = "YouTube has no captions of this video: only its title and description can be searched.";
		const none = make("section.transcript.none", make("h2", "No captions"), make("p", why));
		const stage = make("div.stage", back, box, this.#trouble, ...details);
		this.elements = [stage, this.#transcript?.element ?? none];
	}

	begin(play) {
		this.#transcript?.begin(this.#second);
		this.#at(this.#second);
		if (play) this.play();
	}

	play() {
		this.#player.play(this.#video.video_id, this.#video.title, this.#second);
		this.#poster.hidden = true;
	}

	toggle() {
		if (this.#player.open) this.#player.toggle();
		else this.play();
	}

	next() {
		this.#transcript?.step(1);
	}

	previous() {
		this.#transcript?.step(-1);
	}

	follow() {
		this.#transcript?.follow();
	}

	back() {
		if (state().from !== undefined) history.back();
		else go(this.#q ? address({ q: this.#q }) : "/");
	}

	close() {
		this.#player.close();
	}

	copyLink() {
		const second = Math.floor(this.#player.time ?? this.#second);
		copy(this.#url(second), `The link to ${moment(second)} is copied.`);
	}

	#url(second) {
		return `${this.#video.url}&t=${Math.floor(second)}s`;
	}

	#tools(said) {
		const formats = Object.entries(FORMATS).map(([format, name]) => button(name, () => this.#download(format)));
		const summary = make("summary.soft", "Transcript");
		const soft = { class: "soft" };
		return make(
"div.tools",
			button("Copy link", () => this.copyLink(), soft),
			said ? button("Copy quote", () => this.#copyQuote(), soft) : null,
			said ? make("details.menu", summary, make("div", ...formats)) : null,
			linkTo(this.#video.url, soft, "YouTube"),
		);
	}

	#seek(second, clicked) {
		this.#at(second);
		const parameters = new URLSearchParams(location.search);
		parameters.set("t", Math.floor(second));
		history.replaceState(history.state, "", `/?${parameters}`);
		if (clicked || this.#player.open) this.play();
	}

	#at(second) {
		this.#second = second;
		this.#from.textContent = second ? `from ${moment(second)}` : "";
	}

	#copyQuote() {
		const { text, second } = this.#transcript.quote(this.#player.time ?? this.#second);
		const source = `(${this.#video.title}, ${moment(second)}) ${this.#url(second)}`;
		copy(`“${text}” ${source}`, "The quote is copied, with its source.");
	}

	#download(format) {
		const id = this.#video.video_id;
		attempt(() => save(api.file(`/api/videos/${encodeURIComponent(id)}?format=${format}`), `${id}.${format}`), toast);
	}

	#stuck(text) {
		this.#trouble.hidden = !text;
		const link = linkTo(this.#url(this.#second), {}, "YouTube has the video");
		this.#trouble.replaceChildren(`${text} The transcript works, and `, link, ".");
	}
}
