import * as connection from "/connection.js";
import * as session from "/session.js";

const TIMEOUT_MS = 30_000;
// Hundreds of lines, of which YouTube is asked for many.
const LISTS = /^sources$|\/videos$/;
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
async function attempt(action, report = () => {}) {
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

// A call has an argument for each `:part` of its path, then one for each field of its body; `...`: an object of fields.
const CALLS = {
	me: "GET me",
	deleteMe: "DELETE me",
	logout: "POST logout",
	playlists: "GET playlists",
	removePlaylist: "DELETE playlists/:id",
	setRefresh: "PATCH playlists/:id refresh",
	// `again`: ask YouTube also for the videos that are stored; `channel`: which videos of a channel.
	startIndexing: "POST index playlist ...",
	addSources: "POST sources text",
	subscriptions: "GET subscriptions",
	createCollection: "POST collections title",
	renameCollection: "PATCH collections/:id title",
	collectionVideos: "GET collections/:id/videos?cursor=:cursor",
	// `videos`: ids, addresses or `{video, added_at}`; `from`: the collection that they leave.
	addToCollection: "POST collections/:id/videos videos from",
	removeFromCollection: "DELETE collections/:id/videos/:video",
	recentJobs: "GET jobs",
	job: "GET jobs/:id",
	retryJob: "POST jobs/:id/retry",
	cancelJob: "POST jobs/:id/cancel",
	jobVideos: "GET jobs/:id/videos?state=:state&cursor=:cursor",
	fetchVideo: "POST videos/:id/fetch",
	addClip: "POST clips ...",
	changeClip: "PATCH clips/:id ...",
	deleteClip: "DELETE clips/:id",
	saveSearch: "POST searches query",
	renameSearch: "PATCH searches/:id title",
	deleteSearch: "DELETE searches/:id",
	// `checked_at`: of the answer that the person has seen. What was found later stays new.
	markSeen: "POST searches/:id/seen checked_at",
	openFeed: "POST searches/:id/feed",
	closeFeed: "DELETE searches/:id/feed",
	links: "GET links",
	createLink: "POST links playlist_id",
	revokeLink: "DELETE links/:id",
	// The source that a guest may see.
	link: "GET link",
	tokens: "GET tokens",
	createToken: "POST tokens name",
	revokeToken: "DELETE tokens/:id",
	users: "GET operator/users?cursor=:cursor",
	suspendUser: "POST operator/users/:id/suspend suspended",
	eraseUser: "DELETE operator/users/:id",
};

const encode = (value) => encodeURIComponent(value ?? "");

function callOf(text) {
	const [method, path, ...fields] = text.split(" ");
	return (...values) => {
		const filled = path.replace(/:\w+/g, () => encode(values.shift()));
		if (method === "GET") return get(filled);
		const parts = fields.map((name, index) => (name === "..." ? values[index] : { [name]: values[index] }));
		return send(method, filled, parts.length ? Object.assign({}, ...parts) : undefined);
	};
}

// Files are Blobs, because a plain link could not carry the API token.
const file = (path) => request("GET", path, { timeout: FILE_TIMEOUT_MS, as: "blob" });

export default {
	attempt,
	...Object.fromEntries(Object.entries(CALLS).map(([name, text]) => [name, callOf(text)])),
	searches: (signal) => get("searches", signal),
	search: (params, signal, retry) => get(`search?${params}`, signal, retry),
	suggest: (q, signal) => get(`suggest?q=${encode(q)}`, signal, false),
	video: (id, q, signal) => get(`videos/${encode(id)}?q=${encode(q)}`, signal),
	related: (id, start, signal) => get(`videos/${encode(id)}/related?start=${start}&limit=8`, signal),
	/** `wanted`: a query string with `q` and `tag`. */
	clips: (wanted, cursor) => get(`clips?${wanted}&cursor=${encode(cursor)}`),
	searchFile: (params, format) => file(`search/export?${params}&format=${format}`),
	/** The videos of a search with their transcripts. `params`: a query string; empty for the whole library. */
	exportFile: (params, format) => file(`export?${params}&format=${format}`),
	clipFile: (wanted, format) => file(`clips/export?${wanted}&format=${format}`),
	videoFile: (id, format) => file(`videos/${encode(id)}?format=${format}`),
};

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

const send = (method, path, body) =>
	json(request(method, path, { body, timeout: LISTS.test(path) ? LISTS_TIMEOUT_MS : TIMEOUT_MS }));

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
		response = await fetch(`/api/${path}`, options);
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
