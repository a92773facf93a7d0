// The user's jobs that this page knows. Active ones are polled until they end.

import api from "/api.js";
import { on } from "/dom.js";

const FIRST_DELAY_MS = 500;
// Each poll reads a database document for every fifty videos.
const DELAY_MS = 1_000;
const MAX_DELAY_MS = 5_000;
const RATE_WINDOW_MS = 30_000;

const ACTIVE = new Set(["queued", "planning", "running"]);
export const SETTLED = ["indexed", "no_transcript", "unavailable", "failed"];

const jobs = new Map();
const samples = new Map();
const listeners = [];
// The ids of the jobs being polled. `clear` replaces the set, which stops the polling.
let polled = new Set();

export const isActive = (job) => ACTIVE.has(job.state);

export const countSettled = ({ counts }) => SETTLED.reduce((sum, state) => sum + counts[state], 0);

export const has = (id) => jobs.has(id);

export const anyActive = () => [...jobs.values()].some(isActive);

export function latestByPlaylist() {
	const latest = new Map();
	for (const job of [...jobs.values()].sort((a, b) => b.created_at.localeCompare(a.created_at))) {
		if (job.whole && !latest.has(job.playlist_id)) latest.set(job.playlist_id, job);
	}
	return latest;
}

/** `listener(job, ended)`; `ended` is true for the change that ends the job. */
export const onChange = (listener) => listeners.push(listener);

export async function load() {
	for (const job of (await api.recentJobs()).jobs) put(job);
}

/** Without an id, there is nothing to follow. */
export async function follow(id) {
	if (id) put(await api.job(id));
}

export function put(job) {
	const before = jobs.get(job.job_id);
	jobs.set(job.job_id, job);
	addSample(job);
	const ended = before && isActive(before) && !isActive(job);
	if (JSON.stringify(before) !== JSON.stringify(job)) for (const listener of listeners) listener(job, ended);
	if (isActive(job)) poll(job.job_id);
}

export function clear() {
	polled = new Set();
	jobs.clear();
	samples.clear();
}

/** Videos per second; 0 if unknown. */
export function recentRate(id) {
	const all = samples.get(id);
	const [first, last] = [all[0], all.at(-1)];
	const seconds = (last.time - first.time) / 1000;
	return seconds < 1 ? 0 : (last.settled - first.settled) / seconds;
}

function addSample(job) {
	const all = samples.get(job.job_id) ?? [];
	all.push({ time: Date.now(), settled: countSettled(job) });
	while (all.length > 2 && Date.now() - all[0].time > RATE_WINDOW_MS) all.shift();
	samples.set(job.job_id, all);
}

/** Polls less and less often while nothing changes. */
async function poll(id) {
	const own = polled;
	if (own.has(id)) return;
	own.add(id);
	let delay = FIRST_DELAY_MS;
	let before = "";
	await api.attempt(async () => {
		while (isActive(jobs.get(id))) {
			await waitUntilVisible(delay);
			if (own !== polled) return;
			const job = await api.job(id);
			if (own !== polled) return;
			const progress = JSON.stringify(job.counts) + job.state;
			delay = progress === before ? Math.min(delay * 1.5, MAX_DELAY_MS) : DELAY_MS;
			before = progress;
			put(job);
		}
	}).finally(() => own.delete(id));
}

/** A hidden tab waits longer: it does not poll. */
function waitUntilVisible(delay) {
	return new Promise((resolve) => {
		setTimeout(() => {
			if (!document.hidden) resolve();
			else on(document, "visibilitychange", resolve, { once: true });
		}, delay);
	});
}
