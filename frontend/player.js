// YouTube's embedded player, spoken to by messages: no script of YouTube's runs in this page.
// In: {"event":"listening"}, {"event":"command","func":…,"args":[…]}; out: infoDelivery, onError, …

import { make, on } from "/dom.js";

const PLAYING = 1;
const HELLO_MS = 250;
const ANSWER_MS = 3_000;
const LOAD_MS = 20_000;

export class Player {
	#frame = null;
	#origin;
	#answered = false;
	#hello = 0;
	#late = 0;
	#playing = false;
	#on;

	/** `place`: where the frame goes. `on`: `time(seconds)`, `trouble(text)`, which may be empty again. */
	constructor(place, base, on) {
		this.place = place;
		this.base = base;
		this.#origin = new URL(base).origin;
		this.#on = on;
		/** Seconds; null until it plays. */
		this.time = null;
		addEventListener("message", this.#heard);
	}

	get open() {
		return this.#frame !== null;
	}

	play(video, title, second) {
		if (this.#frame) {
			this.#command("seekTo", [second, true]);
			this.#command("playVideo");
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
		this.#frame = make("iframe", {
			src: `${this.base}/embed/${encodeURIComponent(video)}?${parameters}`,
			title: `Video: ${title}`,
			allow: "autoplay; encrypted-media; fullscreen; picture-in-picture",
			referrerpolicy: "strict-origin-when-cross-origin", // YouTube plays for nobody without a referrer
		});
		on(this.#frame, "load", () => this.#expect(ANSWER_MS));
		this.place.append(this.#frame);
		this.#hello = setInterval(() => this.#send({ event: "listening", id: 1, channel: "widget" }), HELLO_MS);
		this.#expect(LOAD_MS);
	}

	toggle() {
		this.#command(this.#playing ? "pauseVideo" : "playVideo");
	}

	close() {
		removeEventListener("message", this.#heard);
		clearInterval(this.#hello);
		clearTimeout(this.#late);
		this.#frame?.remove();
		this.#frame = null;
	}

	#expect(milliseconds) {
		clearTimeout(this.#late);
		this.#late = setTimeout(() => {
			if (!this.#answered) this.#on.trouble("The player does not load here.");
		}, milliseconds);
	}

	#heard = (event) => {
		if (!this.#frame || event.source !== this.#frame.contentWindow || event.origin !== this.#origin) return;
		let message;
		try {
			message = JSON.parse(event.data);
		} catch {
			return; // Not of this protocol.
		}
		if (!this.#answered) {
			this.#answered = true;
			clearInterval(this.#hello);
			clearTimeout(this.#late);
			this.#on.trouble("");
			this.#command("addEventListener", ["onError"]);
		}
		if (message?.event === "onError") this.#on.trouble("YouTube does not play this video here.");
		const info = message?.info;
		if (!info || typeof info !== "object") return;
		if (typeof info.playerState === "number") this.#playing = info.playerState === PLAYING;
		if (typeof info.currentTime === "number") {
			this.time = info.currentTime;
			this.#on.time(info.currentTime);
		}
	};

	#command(func, args = []) {
		this.#send({ event: "command", func, args, id: 1, channel: "widget" });
	}

	#send(message) {
		// To whoever is there: nothing of it is secret, and an empty frame would be complained about.
		this.#frame?.contentWindow?.postMessage(JSON.stringify(message), "*");
	}
}
