// The HTTP API. Every failure is an ApiError whose message a person can act on.

import * as connection from "/connection.js";
import * as session from "/session.js";

const TIMEOUT_MS = 30_000;
// A gateway or a dependency that is away for a moment, or too many requests.
const PASSING = new Set([0, 429, 502, 503, 504]);

export class ApiError extends Error {
	constructor(message, status) {
		super(message);
		this.name = "ApiError";
		this.status = status;
	}
}

let refused = () => {};

export function onRefused(act) {
	refused = act;
}

const id = encodeURIComponent;

export const me = () => get("/api/me");
export const forgetMe = () => send("DELETE", "/api/me");
export const logout = () => send("POST", "/api/logout");

export const playlists = () => get("/api/playlists");
export const removePlaylist = (playlist) => send("DELETE", `/api/playlists/${id(playlist)}`);
export const startIndexing = (playlist) => send("POST", "/api/index", { playlist });

export const recentJobs = async () => (await get("/api/jobs")).jobs;
export const job = (job) => get(`/api/jobs/${id(job)}`);
export const retryJob = (job) => send("POST", `/api/jobs/${id(job)}/retry`);
export const cancelJob = (job) => send("POST", `/api/jobs/${id(job)}/cancel`);
export const jobVideos = (job, state, cursor = null) => get(`/api/jobs/${id(job)}/videos?${query({ state, cursor })}`);

export const search = (parameters, signal) => get(`/api/search?${parameters}`, signal);
export const suggest = async (q, signal) => (await get(`/api/suggest?${query({ q })}`, signal, false)).suggestions;
export const video = (video, q, signal) => get(`/api/videos/${id(video)}?${query({ q: q || null })}`, signal);

export const tokens = async () => (await get("/api/tokens")).tokens;
export const makeToken = (name) => send("POST", "/api/tokens", { name });
export const revokeToken = (token) => send("DELETE", `/api/tokens/${id(token)}`);

/** A file of the API, as something to save: a link could not carry the token. */
export async function file(path) {
	return (await answered("GET", path, {})).blob();
}

function query(parameters) {
	return new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null));
}

/** Asks until there is an answer, unless not `patient`: what is only read can be asked again. */
async function get(path, signal, patient = true) {
	for (let attempt = 1; ; attempt += 1) {
		try {
			const answer = await read(await answered("GET", path, { signal }), signal);
			connection.works();
			return answer;
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			if (!patient || !PASSING.has(error.status)) {
				if (patient) connection.works();
				throw error;
			}
			await connection.pause(error.message, attempt, signal);
		}
	}
}

const send = async (method, path, body) => read(await answered(method, path, { body }));

/** The response. Throws ApiError if it is none of success; AbortError if `signal` ends it. */
async function answered(method, path, { body, signal }) {
	const headers = { Accept: "application/json" };
	const token = session.token();
	if (token) headers.Authorization = `Bearer ${token}`;
	if (body) headers["Content-Type"] = "application/json";
	let response;
	try {
		const ends = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
		response = await fetch(path, {
			method,
			headers,
			body: body ? JSON.stringify(body) : undefined,
			signal: AbortSignal.any(ends),
		});
	} catch (error) {
		if (signal?.aborted) throw error;
		if (error.name === "TimeoutError") throw new ApiError("The server takes too long to answer.", 0);
		throw new ApiError("The server cannot be reached.", 0);
	}
	if (response.ok) return response;
	const problem = await response.json().catch(() => null);
	if (signal?.aborted) throw signal.reason;
	const error = new ApiError(
		problem?.detail ?? `The server answered with status ${response.status}.`,
		response.status,
	);
	if (error.status === 401) refused(error);
	throw error;
}

async function read(response, signal) {
	if (response.status === 204) return null;
	try {
		return await response.json();
	} catch (error) {
		if (signal?.aborted) throw error;
		throw new ApiError("The server's answer cannot be read.", 0);
	}
}
