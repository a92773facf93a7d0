import api from "/api.js";
import { linked } from "/description.js";
import { actionButton, copyText, menu, saveFile, toast } from "/dialogs.js";
import { button, byId, externalLink, hasModifier, heading, icon, make, on, picture, setText, youtubeLink } from "/dom.js";
import { timestamp } from "/format.js";
import { durationLabel, facts } from "/hits.js";
import * as jobs from "/jobs.js";
import { createPlayer } from "/player.js";
import { navigate, pageUrl, state, updateState, videoUrl } from "/router.js";
import { isGuest, me } from "/session.js";
import { createTranscript } from "/transcript.js";

const FORMATS = { Text: "txt", "Text with times": "txt&times=1", Markdown: "md", "Subtitles (SRT)": "srt", "Subtitles (WebVTT)": "vtt" };

let view = null;
let request = null;

export async function show(params) {
	const [id, q, t, line, until, by] = ["v", "q", "t", "line", "until", "by"].map((name) => params.get(name));
	hide();
	const own = (request = new AbortController());
	const container = byId("view-watch");
	const skeleton = make("div.stage", make("div.player.skeleton"), heading("watch-title", "Video"));
	container.replaceChildren(skeleton, make("div.transcript.skeleton"));
	scrollTo(0, 0);
	await api.attempt(async () => {
		const video = await api.video(id, by ? "" : q, own.signal);
		document.title = `${video.title} · yts`;
		view = createView(video, q, t, line, until, by);
		container.replaceChildren(...view.elements);
		view.start(state().play, state().related);
		// Returning to this URL, or loading it again, must not start the video.
		if (state().play) updateState({ play: false });
	}, (message) => {
		const youtube = youtubeLink(id, "Look for it on YouTube");
		const error = make("p", { role: "alert" }, message);
		container.replaceChildren(make("div.stage", heading("watch-title", "This video cannot be shown"), error, make("p", youtube)));
	});
	if (!own.signal.aborted) byId("watch-title").focus({ preventScroll: true });
}

export function hide() {
	request?.abort();
	view?.close();
	view = null;
}

export function handleKey(key) {
	const action = view?.shortcuts[key];
	action?.();
	return Boolean(action);
}

function createView(video, q, t, line, until, by) {
	const { video_id: id, title } = video;
	const urlOf = (start, number) => videoUrl(id, q, start, number, { by });
	const transcript = video.lines.length ? createTranscript(video, urlOf, seek, !isGuest() && chooseLine) : null;
	let choosing = null;
	let second = t === null ? (transcript?.firstMatch ?? 0) : Number(t.match(/^\d{1,7}(\.\d+)?/)?.[0] ?? 0);

	const startTime = make("span.from");
	const shown = [picture(video.thumbnail_url), make("span.start", icon("play"), startTime), durationLabel(video)];
	const poster = button(".poster", shown.filter(Boolean), play, { "aria-label": `Play ${title}` });
	const box = make("div.player", poster);
	const player = createPlayer(box, me.player_base_url, { onTime: (time) => transcript?.showTime(time), onProblem: showProblem });
	const now = () => player.time() ?? second;
	const youtubeUrl = (at) => `${video.url}&t=${Math.floor(at)}s`;

	// A guest sees one source only, and has no `by_meaning`.
	const related = transcript && me.by_meaning ? make("section.related", { "aria-labelledby": "related-title", hidden: true }) : null;
	let relatedRequest = null;

	const shortcuts = {
		n: () => transcript?.step(1),
		p: () => transcript?.step(-1),
		k: () => (player.isOpen() ? player.toggle() : play()),
		c: () => copyText(youtubeUrl(now()), `The link to ${timestamp(now())} is copied.`),
		f: () => transcript?.follow(),
		r: () => related && showRelated(transcript.focused() ?? now()),
		Escape: () => {
			if (choosing) choosing.giveUp();
			else if (state().from !== undefined) history.back();
			else navigate(q ? pageUrl({ q, ...(by && { by }) }) : "/");
		},
	};

	const tools = make(
		"div.tools",
		button(".soft", "Copy link", shortcuts.c),
		transcript && button(".soft", "Copy quote", copyQuote),
		transcript && menu(make("summary.soft", "Download"), FORMATS, download),
		related && button(".soft.for-related", "Related places", shortcuts.r),
		!isGuest() && button(".soft", "Save", async () => (await import("/collections.js")).save(id, title)),
		externalLink(video.url, "YouTube", { class: "soft" }),
		!isGuest() && actionButton(".soft", "Fetch again", fetchAgain, toast),
	);
	const problem = make("p.note", { role: "status", hidden: true });
	const stage = make(
		"div.stage",
		button(".plain.back", [icon("back"), q ? "Results" : "Back"], shortcuts.Escape),
		box,
		problem,
		heading("watch-title", title),
		make("p.facts", ...facts(video)),
		tools,
		related,
		video.description && make("details.about", make("summary", "Description"), make("p", ...linked(video.description, timeLink))),
	);
	const why = `${video.reason ?? "YouTube has no captions for this video."} You can search its title and description only.`;
	const noTranscript = make("section.transcript.none", make("h2", "No captions"), make("p", why));

	function start(playing, relatedTo) {
		transcript?.open(second, line);
		if (until && transcript) transcript.markTime(second, Number(until));
		setSecond(second);
		if (playing) play();
		if (relatedTo !== undefined && related) showRelated(relatedTo, false);
	}

	/** Returning to this history entry shows them again. */
	async function showRelated(at, focus = true) {
		relatedRequest?.abort();
		const { signal } = (relatedRequest = new AbortController());
		updateState({ related: at });
		const module = await import("/related.js");
		if (!signal.aborted) await module.showRelated(related, id, at, signal, focus, hideRelated);
	}

	function hideRelated() {
		relatedRequest?.abort();
		related.hidden = true;
		updateState({ related: undefined });
		tools.querySelector(".for-related").focus();
	}

	function play() {
		player.play(id, title, second);
		poster.hidden = true;
	}

	function seek(to, number, clicked) {
		setSecond(to);
		history.replaceState(history.state, "", urlOf(to, number));
		if (clicked || player.isOpen()) play();
	}

	function setSecond(to) {
		second = to;
		setText(startTime, to ? `from ${timestamp(to)}` : "");
	}

	/** Chooses a line for a clip. `from`: the other end, if none is chosen. Without a line, the user chooses. */
	async function chooseLine(line, from) {
		const { chooseLines } = await import("/clips.js");
		choosing ??= chooseLines(video, transcript, () => (choosing = null));
		if (line !== undefined) choosing.choose(line, from);
	}

	function copyQuote() {
		const quote = transcript.quote(now());
		const source = `(${title}, ${timestamp(quote.second)}) ${youtubeUrl(quote.second)}`;
		copyText(`“${quote.text}” ${source}`, "The quote and its source are copied.");
	}

	function download(format) {
		api.attempt(() => saveFile(api.videoFile(id, format), `${id}.${format.split("&")[0]}`), toast);
	}

	async function fetchAgain() {
		const { job_id: job } = await api.fetchVideo(id);
		toast("YouTube is asked again. Open this video again in a moment to see what is new.");
		await jobs.follow(job);
	}

	function close() {
		relatedRequest?.abort();
		player.close();
	}

	function timeLink(text, to) {
		const link = make("a", { href: urlOf(to) }, text);
		on(link, "click", (event) => {
			if (hasModifier(event)) return;
			event.preventDefault();
			transcript?.open(to);
			seek(to, null, true);
			box.scrollIntoView({ block: "nearest" });
		});
		return link;
	}

	function showProblem(text) {
		problem.hidden = !text;
		const link = externalLink(youtubeUrl(second), "watch it on YouTube");
		problem.replaceChildren(`${text} You can read the transcript, or `, link, ".");
	}

	return { elements: [stage, transcript?.element ?? noTranscript], shortcuts, start, close };
}
