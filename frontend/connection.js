// Waits between retries, longer each time, and shows a banner that says so.

import { button, byId, on, setText } from "/dom.js";

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

const retries = new EventTarget();
const retryNow = () => retries.dispatchEvent(new Event("now"));

export function setUp() {
	byId("connection").append(button(".plain", "Try now", retryNow));
	addEventListener("online", retryNow);
	on(document, "visibilitychange", () => document.hidden || retryNow());
}

/** Shows `reason` and waits; `failures` counts from 1. Throws when `signal` aborts. */
export function waitToRetry(reason, failures, signal) {
	const jitter = 1 + Math.random() / 5; // so that pages do not retry all at once
	const delay = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), MAX_DELAY_MS) * jitter;
	const banner = byId("connection");
	banner.hidden = false;
	const problem = navigator.onLine ? reason : "You are offline. Nothing is lost.";
	setText(banner.firstChild, `${problem} Retrying in ${Math.round(delay / 1000)} s.`);
	signal?.throwIfAborted();
	return new Promise((resolve, reject) => {
		setTimeout(resolve, delay);
		on(retries, "now", resolve, { once: true });
		signal?.addEventListener("abort", () => reject(signal.reason));
	});
}

export const hideBanner = () => (byId("connection").hidden = true);
