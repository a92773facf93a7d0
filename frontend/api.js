// The HTTP API.

import * as connection from "/connection.js";
import * as session from "/session.js";

const TIMEOUT_MS = 30_000;
// Hundreds of lines, of which YouTube is asked for many.
const LISTS_TIMEOUT_MS = 180_000;
// A file comes in pieces, as long as the server sends them.
const FILE_TIMEOUT_MS = 3_600_000;
// No readable answer, too many requests, or unavailable.
const RETRYABLE = new Set([0, 429, 502, 503, 504]);

class ApiError extends Error {
	/** `message` is for people; `status` is 0 if there was no readable answer. */
	constructor(message, status) {
		super(message);
		this.status = status;
	}
}

/** A failed request goes to `report(message, status)`. An aborted one is ignored: a newer one replaced it. */
export async function attempt(action, report = () => {}) {
	try {
		await action();
	} catch (error) {
		if (error instanceof ApiError) report(error.message, error.status);
		else if (error.name !== "AbortError") throw error;
	}
}

let handleUnauthorized = () => {};

/** `handler()` is called when the session or token is refused. */
export const onUnauthorized = (handler) => (handleUnauthorized = handler);

const encode = encodeURIComponent;

export const me = () => get("/api/me");
export const deleteMe = () => send("DELETE", "/api/me");
export const logout = () => send("POST", "/api/logout");

export const playlists = () => get("/api/playlists");
export const removePlaylist = (id) => send("DELETE", `/api/playlists/${encode(id)}`);
export const setRefresh = (id, refresh) => send("PATCH", `/api/playlists/${encode(id)}`, { refresh });
/** `again`: ask YouTube also for the videos that are stored; `channel`: which videos of a channel. */
export const startIndexing = (playlist, { again, channel } = {}) => send("POST", "/api/index", { playlist, again, channel });
export const addSources = (text) => request("POST", "/api/sources", { body: { text }, timeout: LISTS_TIMEOUT_MS }).then(json);
export const subscriptions = () => get("/api/subscriptions");

const collection = (id) => `/api/collections/${encode(id)}`;
export const createCollection = (title) => send("POST", "/api/collections", { title });
export const renameCollection = (id, title) => send("PATCH", collection(id), { title });
export const collectionVideos = (id, cursor) => get(`${collection(id)}/videos?cursor=${encode(cursor ?? "")}`);
/** `videos`: ids, addresses or `{video, added_at}`; `from`: the collection that they leave. */
export const addToCollection = (id, videos, from) =>
	request("POST", `${collection(id)}/videos`, { body: { videos, from: from ?? undefined }, timeout: LISTS_TIMEOUT_MS }).then(json);
export const removeFromCollection = (id, video) => send("DELETE", `${collection(id)}/videos/${encode(video)}`);

export const recentJobs = async () => (await get("/api/jobs")).jobs;
export const job = (id) => get(`/api/jobs/${encode(id)}`);
export const retryJob = (id) => send("POST", `/api/jobs/${encode(id)}/retry`);
export const cancelJob = (id) => send("POST", `/api/jobs/${encode(id)}/cancel`);
export const jobVideos = (id, state, cursor) => get(`/api/jobs/${encode(id)}/videos?state=${state}&cursor=${encode(cursor ?? "")}`);

export const search = (params, signal) => get(`/api/search?${params}`, signal);
export const suggest = async (q, signal) => (await get(`/api/suggest?q=${encode(q)}`, signal, false)).suggestions;
export const video = (id, q, signal) => get(`/api/videos/${encode(id)}?q=${encode(q ?? "")}`, signal);
export const fetchVideo = (id) => send("POST", `/api/videos/${encode(id)}/fetch`);

/** `wanted`: a query string with `q` and `tag`. */
export const clips = (wanted, cursor) => get(`/api/clips?${wanted}&cursor=${encode(cursor ?? "")}`);
export const addClip = (clip) => send("POST", "/api/clips", clip);
export const changeClip = (id, fields) => send("PATCH", `/api/clips/${encode(id)}`, fields);
export const deleteClip = (id) => send("DELETE", `/api/clips/${encode(id)}`);
export const searches = async () => (await get("/api/searches")).searches;
export const saveSearch = (query) => send("POST", "/api/searches", { query });
export const renameSearch = (id, title) => send("PATCH", `/api/searches/${encode(id)}`, { title });
export const deleteSearch = (id) => send("DELETE", `/api/searches/${encode(id)}`);
/** `checkedAt`: of the answer that the person has seen. What was found later stays new. */
export const markSeen = (id, checkedAt) => send("POST", `/api/searches/${encode(id)}/seen`, { checked_at: checkedAt });
export const openFeed = (id) => send("POST", `/api/searches/${encode(id)}/feed`);
export const closeFeed = (id) => send("DELETE", `/api/searches/${encode(id)}/feed`);

export const links = async () => (await get("/api/links")).links;
export const createLink = (id) => send("POST", "/api/links", { playlist_id: id });
export const revokeLink = (id) => send("DELETE", `/api/links/${encode(id)}`);
/** The source that a guest may see. */
export const link = () => get("/api/link");

export const tokens = async () => (await get("/api/tokens")).tokens;
export const createToken = (name) => send("POST", "/api/tokens", { name });
export const revokeToken = (id) => send("DELETE", `/api/tokens/${encode(id)}`);

export const users = (cursor) => get(`/api/operator/users?cursor=${encode(cursor ?? "")}`);
export const suspendUser = (id, suspended) => send("POST", `/api/operator/users/${encode(id)}/suspend`, { suspended });
export const eraseUser = (id) => send("DELETE", `/api/operator/users/${encode(id)}`);

// Files are Blobs, because a plain link could not carry the API token.
const file = (path) => request("GET", path, { timeout: FILE_TIMEOUT_MS, as: "blob" });
export const searchFile = (params, format) => file(`/api/search/export?${params}&format=${format}`);
export const clipFile = (wanted, format) => file(`/api/clips/export?${wanted}&format=${format}`);
export const videoFile = (id, format) => file(`/api/videos/${encode(id)}?format=${format}`);

/** Retries until there is an answer: a read is safe to repeat. */
async function get(path, signal, retry = true) {
	for (let tries = 1; ; tries += 1) {
		try {
			const answer = await json(request("GET", path, { signal }));
			connection.hideBanner();
			return answer;
		} catch (error) {
			if (!retry || !(error instanceof ApiError)) throw error;
			if (!RETRYABLE.has(error.status)) {
				connection.hideBanner();
				throw error;
			}
			await connection.waitToRetry(error.message, tries, signal);
		}
	}
}

const send = (method, path, body) => json(request(method, path, { body }));

async function json(answer) {
	const text = await answer;
	try {
		return text && JSON.parse(text);
	} catch {
		throw new ApiError("The server's answer cannot be read.", 0);
	}
}

/** The body. Throws ApiError, or AbortError if `signal` aborts. */
async function request(method, path, { body, signal, timeout = TIMEOUT_MS, as = "text" }) {
	const headers = {};
	const token = session.token();
	if (token) headers.Authorization = `Bearer ${token}`;
	if (body) headers["Content-Type"] = "application/json";
	const signals = [AbortSignal.timeout(timeout), signal].filter(Boolean);
	const options = { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.any(signals) };
	let response;
	let answer;
	try {
		response = await fetch(path, options);
		answer = await response[response.ok ? as : "text"]();
	} catch ({ name }) {
		signal?.throwIfAborted();
		const lost = response ? "The server's answer broke off. Try again." : "The server cannot be reached.";
		throw new ApiError(name === "TimeoutError" ? "The server takes too long to answer." : lost, 0);
	}
	const { ok, status } = response;
	if (ok) return answer;
	const problem = await json(answer).catch(() => null);
	// A request sent before the user signed in says nothing about the new token.
	if (status === 401 && token === session.token()) handleUnauthorized();
	throw new ApiError(problem?.detail ?? `The server answered with status ${status}.`, status);
}
