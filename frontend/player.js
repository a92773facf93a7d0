// YouTube's embedded player, controlled by messages: no script of YouTube runs in this page.
// Sent: {"event":"listening"}, {"event":"command","func":…,"args":[…]}. Received: infoDelivery, onError, …

import { make, on } from "/dom.js";

const PLAYING = 1;
const LISTENING_MS = 250;
const ANSWER_MS = 3_000;
const LOAD_MS = 20_000;

/** `onTime(seconds)`; `onProblem(text)`, with "" when it is over. */
export function createPlayer(container, baseUrl, { onTime, onProblem }) {
	const { origin } = new URL(baseUrl);
	let frame = null;
	let time = null; // the one asked for last, until the player reports its own
	let begin = 0;
	let answered = false;
	let playing = false;
	let listeningTimer = 0;
	let answerTimer = 0;
	addEventListener("message", receive);

	function play(video, title, second) {
		time = second;
		if (frame) {
			command("seekTo", [second, true]);
			command("playVideo");
			return;
		}
		begin = Math.floor(second); // the address of a player has whole seconds
		const options = { enablejsapi: 1, autoplay: 1, start: begin, origin: location.origin, playsinline: 1, rel: 0 };
		frame = make("iframe", {
			src: `${baseUrl}/embed/${encodeURIComponent(video)}?${new URLSearchParams(options)}`,
			title: `Video: ${title}`,
			allow: "autoplay; encrypted-media; fullscreen; picture-in-picture",
			referrerpolicy: "strict-origin-when-cross-origin", // YouTube refuses to play without a referrer
		});
		on(frame, "load", () => expectAnswer(ANSWER_MS));
		container.append(frame);
		listeningTimer = setInterval(() => send({ event: "listening" }), LISTENING_MS);
		expectAnswer(LOAD_MS);
	}

	function close() {
		removeEventListener("message", receive);
		clearInterval(listeningTimer);
		clearTimeout(answerTimer);
		frame?.remove();
		frame = null;
	}

	function expectAnswer(delay) {
		clearTimeout(answerTimer);
		answerTimer = setTimeout(() => answered || onProblem("The player could not be loaded."), delay);
	}

	function receive(event) {
		if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
		let message;
		try {
			message = JSON.parse(event.data);
		} catch {
			return; // not a message of this protocol
		}
		if (!answered) {
			answered = true;
			clearInterval(listeningTimer);
			onProblem("");
			command("addEventListener", ["onError"]);
			if (time !== begin) command("seekTo", [time, true]);
		}
		if (message?.event === "onError") onProblem("YouTube does not play this video here.");
		const { playerState, currentTime } = message?.info ?? {};
		if (typeof playerState === "number") playing = playerState === PLAYING;
		if (typeof currentTime === "number") onTime((time = currentTime));
	}

	const command = (func, args = []) => send({ event: "command", func, args });

	function send(message) {
		// Any origin may receive this: it is no secret, and an empty frame has another origin.
		frame?.contentWindow?.postMessage(JSON.stringify({ ...message, id: 1, channel: "widget" }), "*");
	}

	return {
		play,
		close,
		toggle: () => command(playing ? "pauseVideo" : "playVideo"),
		isOpen: () => frame !== null,
		time: () => time,
	};
}
