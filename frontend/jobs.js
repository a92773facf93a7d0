// The caller's jobs, as far as this page knows them; those that are not over are asked about until they are.

import { on } from "/dom.js";
import * as api from "/api.js";

const FIRST_PAUSE_MS = 500;
// Each look reads a document of Firestore for every fifty videos.
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5_000;
const WINDOW_MS = 30_000;

const ACTIVE = new Set(["queued", "planning", "running"]);
export const SETTLED = ["indexed", "no_transcript", "unavailable", "failed"];

const known = new Map();
const watched = new Map();
const samples = new Map();
const listeners = [];

export const isActive = (job) => ACTIVE.has(job.state);

export const settled = ({ counts }) => SETTLED.reduce((sum, name) => sum + counts[name], 0);

export const knows = (id) => known.has(id);

export const anyActive = () => [...known.values()].some(isActive);

/** The latest job of each playlist, by its id; the latest of all comes first. */
export function latest() {
	const found = new Map();
	for (const job of [...known.values()].sort((a, b) => b.created_at.localeCompare(a.created_at))) {
		if (!found.has(job.playlist_id)) found.set(job.playlist_id, job);
	}
	return found;
}

/** `listener(job, ended)`: for every change of a job; whether it ended just now. */
export const onChange = (listener) => listeners.push(listener);

export async function load() {
	for (const job of await api.recentJobs()) put(job);
}

export function put(job) {
	const before = known.get(job.job_id);
	known.set(job.job_id, job);
	sample(job);
	const ended = Boolean(before) && isActive(before) && !isActive(job);
	if (JSON.stringify(before) !== JSON.stringify(job)) for (const each of listeners) each(job, ended);
	if (isActive(job)) watch(job.job_id);
}

export function forget() {
	for (const watcher of watched.values()) watcher.abort();
	for (const each of [known, watched, samples]) each.clear();
}

/** Videos a second, of late; 0 if it is not known. */
export function rate(id) {
	const all = samples.get(id);
	const [first, last] = [all[0], all.at(-1)];
	const seconds = (last.at - first.at) / 1000;
	return seconds < 1 ? 0 : (last.settled - first.settled) / seconds;
}

function sample(job) {
	const all = samples.get(job.job_id) ?? [];
	all.push({ at: Date.now(), settled: settled(job) });
	while (all.length > 2 && Date.now() - all[0].at > WINDOW_MS) all.shift();
	samples.set(job.job_id, all);
}

/** Asks often while something happens, and less and less often while nothing does. */
async function watch(id) {
	if (watched.has(id)) return;
	const watcher = new AbortController();
	watched.set(id, watcher);
	let pause = FIRST_PAUSE_MS;
	let last = "";
	try {
		while (isActive(known.get(id))) {
			await passed(pause);
			if (watcher.signal.aborted) return;
			const now = await api.job(id);
			if (watcher.signal.aborted) return;
			const text = JSON.stringify(now.counts) + now.state;
			pause = text === last ? Math.min(pause * 1.5, LONGEST_PAUSE_MS) : PAUSE_MS;
			last = text;
			put(now);
		}
	} catch (error) {
		if (!(error instanceof api.ApiError)) throw error;
	} finally {
		if (watched.get(id) === watcher) watched.delete(id);
	}
}

function passed(milliseconds) {
	return new Promise((resolve) => {
		setTimeout(() => {
			if (!document.hidden) resolve();
			else on(document, "visibilitychange", resolve, { once: true });
		}, milliseconds);
	});
}
