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

/** A failed request goes to `told(message)`. Any other error is a bug and is thrown. */
export async function attempt(act, told) {
	try {
		await act();
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
		told(error.message);
	}
}

let refused = () => {};

export const onRefused = (act) => (refused = act);

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
export const jobVideos = (job, state, cursor) => get(`/api/jobs/${id(job)}/videos?state=${state}&cursor=${id(cursor ?? "")}`);

export const search = (parameters, signal) => get(`/api/search?${parameters}`, signal);
export const suggest = async (q, signal) => (await get(`/api/suggest?q=${id(q)}`, signal, false)).suggestions;
export const video = (video, q, signal) => get(`/api/videos/${id(video)}?q=${id(q ?? "")}`, signal);

export const tokens = async () => (await get("/api/tokens")).tokens;
export const makeToken = (name) => send("POST", "/api/tokens", { name });
export const revokeToken = (token) => send("DELETE", `/api/tokens/${id(token)}`);

/** A file of the API, as something to save: a link could not carry the token. */
export const file = async (path) => (await answered("GET", path, {})).blob();

/** Asks until there is an answer, unless not `patient`: what is only read can be asked again. */
async function get(path, signal, patient = true) {
	for (let attempt = 1; ; attempt += 1) {
		try {
			const answer = await read(await answered("GET", path, { signal }), signal);
			connection.works();
			return answer;
		} catch (error) {
			if (!patient || !(error instanceof ApiError)) throw error;
			if (!PASSING.has(error.status)) {
				connection.works();
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
	const ends = [AbortSignal.timeout(TIMEOUT_MS), signal].filter(Boolean);
	const asked = fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.any(ends) });
	const response = await asked.catch(({ name }) => {
		signal?.throwIfAborted();
		const late = name === "TimeoutError";
		throw new ApiError(late ? "The server takes too long to answer." : "The server cannot be reached.", 0);
	});
	const { ok, status } = response;
	if (ok) return response;
	const problem = await response.json().catch(() => null);
	signal?.throwIfAborted();
	// What was asked before somebody signed in says nothing of them.
	if (status === 401 && token === session.token()) refused();
	throw new ApiError(problem?.detail ?? `The server answered with status ${status}.`, status);
}

async function read(response, signal) {
	if (response.status === 204) return null;
	return response.json().catch(() => {
		signal?.throwIfAborted();
		throw new ApiError("The server's answer cannot be read.", 0);
	});
}
