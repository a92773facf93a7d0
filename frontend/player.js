// YouTube's embedded player, spoken to by messages: no script of YouTube's runs in this page.
// In: {"event":"listening"}, {"event":"command","func":…,"args":[…]}; out: infoDelivery, onError, …

import { make, on } from "/dom.js";

const PLAYING = 1;
const HELLO_MS = 250;
const ANSWER_MS = 3_000;
const LOAD_MS = 20_000;

/** `place`: where the frame goes. `tell`: `time(seconds)`, `trouble(text)`, which may be empty again. */
export function playerIn(place, base, tell) {
	const { origin } = new URL(base);
	let frame = null;
	let time = null;
	let answered = false;
	let playing = false;
	let hello = 0;
	let late = 0;
	addEventListener("message", heard);

	function play(video, title, second) {
		if (frame) {
			command("seekTo", [second, true]);
			command("playVideo");
			return;
		}
		const parameters = new URLSearchParams({
			enablejsapi: "1",
			autoplay: "1",
			start: String(Math.floor(second)),
			origin: location.origin,
			playsinline: "1",
			rel: "0",
		});
		frame = make("iframe", {
			src: `${base}/embed/${encodeURIComponent(video)}?${parameters}`,
			title: `Video: ${title}`,
			allow: "autoplay; encrypted-media; fullscreen; picture-in-picture",
			referrerpolicy: "strict-origin-when-cross-origin", // YouTube plays for nobody without a referrer
		});
		on(frame, "load", () => expect(ANSWER_MS));
		place.append(frame);
		hello = setInterval(() => send({ event: "listening" }), HELLO_MS);
		expect(LOAD_MS);
	}

	function close() {
		removeEventListener("message", heard);
		clearInterval(hello);
		clearTimeout(late);
		frame?.remove();
		frame = null;
	}

	function expect(milliseconds) {
		clearTimeout(late);
		late = setTimeout(() => answered || tell.trouble("The player does not load here."), milliseconds);
	}

	function heard(event) {
		if (!frame || event.source !== frame.contentWindow || event.origin !== origin) return;
		let message;
		try {
			message = JSON.parse(event.data);
		} catch {
			return; // Not of this protocol.
		}
		if (!answered) {
			answered = true;
			clearInterval(hello);
			tell.trouble("");
			command("addEventListener", ["onError"]);
		}
		if (message?.event === "onError") tell.trouble("YouTube does not play this video here.");
		const { playerState, currentTime } = message?.info ?? {};
		if (typeof playerState === "number") playing = playerState === PLAYING;
		if (typeof currentTime === "number") tell.time((time = currentTime));
	}

	const command = (func, args = []) => send({ event: "command", func, args });

	function send(message) {
		// To whoever is there: nothing of it is secret, and an empty frame would be complained about.
		frame?.contentWindow?.postMessage(JSON.stringify({ ...message, id: 1, channel: "widget" }), "*");
	}

	return {
		play,
		close,
		toggle: () => command(playing ? "pauseVideo" : "playVideo"),
		isOpen: () => frame !== null,
		/** Seconds; null until it plays. */
		time: () => time,
	};
}
