// The HTTP API. Every failure is an ApiError whose message a person can act on.

import * as session from "/session.js";

const TIMEOUT_MS = 30_000;

export class ApiError extends Error {
  /** `status`: of HTTP; 0 when there was no answer at all. */
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

export const startIndexing = (playlist) => call("POST", "/api/index", { body: { playlist } });

export const recentJobs = async () => (await call("GET", "/api/jobs")).jobs;

export const job = (id) => call("GET", `/api/jobs/${encodeURIComponent(id)}`);

export const retryJob = (id) => call("POST", `/api/jobs/${encodeURIComponent(id)}/retry`);

export const cancelJob = (id) => call("POST", `/api/jobs/${encodeURIComponent(id)}/cancel`);

/** One page of a job's videos in a state: `{videos, cursor}`. */
export const jobVideos = (id, state, cursor = null) =>
  call("GET", `/api/jobs/${encodeURIComponent(id)}/videos?${query({ state, cursor })}`);

export const search = (q, cursor, signal) => call("GET", `/api/search?${query({ q, cursor })}`, { signal });

function query(parameters) {
  return new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null));
}

/** The answer's JSON. Throws ApiError; AbortError if `signal` ends it. */
async function call(method, path, { body, signal } = {}) {
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
    if (error.name === "TimeoutError") throw new ApiError("The server takes too long to answer. Try again.", 0);
    throw new ApiError("The server cannot be reached. Is it running (./emulators.sh up)?", 0);
  }
  const answer = await response.json().catch((error) => {
    if (signal?.aborted) throw error;
    return null;
  });
  if (!response.ok) {
    throw new ApiError(answer?.detail ?? `The server answered with status ${response.status}.`, response.status);
  }
  if (answer === null) throw new ApiError("The server's answer cannot be read.", response.status);
  return answer;
}
