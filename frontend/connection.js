// A server that does not answer is waited for, longer each time; the page says so and loses nothing.

import { button, byId, on, say } from "/dom.js";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

const again = new EventTarget();
const now = () => again.dispatchEvent(new Event("again"));

export function setUp() {
	byId("connection").append(button(".plain", "Try now", now));
	addEventListener("online", now);
	on(document, "visibilitychange", () => document.hidden || now());
}

/** Waits before attempt number `attempt` (from 1), or until trying is asked for. Throws when `signal` ends it. */
export function pause(reason, attempt, signal) {
	const spread = 1 + Math.random() / 5; // so that not all come back at the same moment
	const milliseconds = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) * spread;
	const banner = byId("connection");
	banner.hidden = false;
	const told = navigator.onLine ? reason : "You are offline. What you did is kept.";
	say(banner.firstChild, `${told} Trying again in ${Math.round(milliseconds / 1000)} s.`);
	signal?.throwIfAborted();
	return new Promise((resolve, reject) => {
		// Whichever comes first; what comes later changes nothing.
		setTimeout(resolve, milliseconds);
		on(again, "again", resolve, { once: true });
		if (signal) on(signal, "abort", () => reject(signal.reason), { once: true });
	});
}

export function works() {
	byId("connection").hidden = true;
}
