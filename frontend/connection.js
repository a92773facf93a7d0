// A server that does not answer is waited for, longer each time; the page says so and loses nothing.

import { button, byId, say } from "/dom.js";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

const again = new EventTarget();
const now = () => again.dispatchEvent(new Event("again"));
let clock = 0;

export function setUp() {
	byId("connection").append(button("Try now", now, { class: "plain" }));
	addEventListener("online", now);
	document.addEventListener("visibilitychange", () => document.hidden || now());
}

/** Waits before attempt number `attempt` (from 1), or until trying is asked for. Throws when `signal` ends it. */
export function pause(reason, attempt, signal) {
	const spread = 1 + Math.random() / 5; // so that not all come back at the same moment
	const milliseconds = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) * spread;
	tell(reason, Date.now() + milliseconds);
	return new Promise((resolve, reject) => {
		const over = new AbortController();
		const timer = setTimeout(end, milliseconds, resolve);
		function end(how) {
			clearTimeout(timer);
			over.abort();
			how();
		}
		again.addEventListener("again", () => end(resolve), { signal: over.signal });
		const aborted = () => end(() => reject(signal.reason));
		if (signal?.aborted) aborted();
		else signal?.addEventListener("abort", aborted, { signal: over.signal });
	});
}

/** The server answers. */
export function works() {
	clearInterval(clock);
	byId("connection").hidden = true;
}

function tell(reason, until) {
	byId("connection").hidden = false;
	say(byId("connection-reason"), navigator.onLine ? reason : "You are offline. What you did is kept.");
	const countdown = () => {
		const seconds = Math.max(0, Math.round((until - Date.now()) / 1000));
		say(byId("connection-countdown"), seconds ? `Trying again in ${seconds} s.` : "Trying again …");
	};
	clearInterval(clock);
	clock = setInterval(countdown, 1000);
	countdown();
}
