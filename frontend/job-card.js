// One job: how far it is, what went wrong, and what can be done about it. Updated in place, so that
// neither the focus nor an opened list is lost.

import * as api from "/api.js";
import { linkTo, make, say } from "/dom.js";
import { count, day, many, remaining, timeOfDay } from "/format.js";

const ACTIVE = new Set(["queued", "planning", "running"]);
const SEGMENTS = ["indexed", "no_transcript", "unavailable", "failed"];
const WORDS = {
  queued: "Waiting to start",
  planning: "Reading the playlist",
  running: "Indexing",
  done: "Done",
  failed: "Could not be indexed",
  cancelled: "Cancelled",
};
// Longer lists than this are for the command line.
const MOST_PROBLEMS = 500;

export const isActive = (job) => ACTIVE.has(job.state);

export class JobCard {
  #job;
  #shown = null;
  #title = make("h3", { dir: "auto" });
  #state = make("p", { class: "job-state" });
  #bar = make("div", { class: "bar", role: "progressbar", "aria-valuemin": "0" });
  #segments = SEGMENTS.map((name) => make("span", { class: `segment ${name}` }));
  #counts = make("p", { class: "job-counts" });
  #note = make("p", { class: "error" });
  #problems = make("details", { class: "problems" });
  #summary = make("summary");
  #list = make("ul");
  #cancel = make("button", { type: "button", class: "plain" }, "Cancel");
  #retry = make("button", { type: "button", class: "plain" }, "Try the failed ones again");

  /** `changed` is called with the job after the person cancelled or retried it. */
  constructor(job, changed) {
    this.element = make("li", { class: "job" });
    this.#bar.append(...this.#segments);
    this.#problems.append(this.#summary, this.#list);
    this.#problems.addEventListener("toggle", () => this.#loadProblems());
    this.#act(this.#cancel, api.cancelJob, changed);
    this.#act(this.#retry, api.retryJob, changed);
    this.element.append(this.#title, this.#state, this.#bar, this.#counts, this.#note, this.#problems);
    this.element.append(make("p", { class: "actions" }, this.#cancel, this.#retry));
    this.update(job);
  }

  update(job) {
    this.#job = job;
    const active = isActive(job);
    const { counts, total } = job;
    this.element.dataset.state = job.state;
    this.element.dataset.jobId = job.job_id;
    say(this.#title, job.title ?? job.playlist_id);
    say(this.#state, stateInWords(job));
    say(this.#counts, countsInWords(job));
    say(this.#note, noteInWords(job));
    const settled = SEGMENTS.reduce((sum, name) => sum + counts[name], 0);
    const whole = total ?? settled + counts.pending;
    SEGMENTS.forEach((name, index) => {
      this.#segments[index].style.flexGrow = String(whole ? counts[name] / whole : 0);
    });
    this.#bar.classList.toggle("unknown", active && !whole);
    this.#bar.hidden = !active && !whole;
    this.#bar.setAttribute("aria-label", `Progress of ${job.title ?? job.playlist_id}`);
    this.#bar.setAttribute("aria-valuemax", String(Math.max(whole, 1)));
    this.#bar.setAttribute("aria-valuenow", String(settled));
    this.#bar.setAttribute("aria-valuetext", `${count(settled)} of ${many(whole, "video", "videos")}`);
    this.#cancel.hidden = !active;
    this.#retry.hidden = active || counts.failed === 0;
    this.#problems.hidden = counts.failed + counts.unavailable + counts.no_transcript === 0;
    say(this.#summary, problemsInWords(counts));
    this.#loadProblems();
  }

  #act(button, request, changed) {
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        changed(await request(this.#job.job_id));
      } catch (error) {
        if (!(error instanceof api.ApiError)) throw error;
        say(this.#note, error.message);
      } finally {
        button.disabled = false;
      }
    });
  }

  /** While the list is open, and again when its length changed. */
  async #loadProblems() {
    const { counts, job_id: id } = this.#job;
    const wanted = `${counts.failed} ${counts.unavailable} ${counts.no_transcript}`;
    if (!this.#problems.open || this.#problems.hidden || this.#shown === wanted) return;
    this.#shown = wanted;
    try {
      const videos = [];
      for (const state of ["failed", "unavailable", "no_transcript"]) {
        for (let cursor = null; counts[state] && videos.length < MOST_PROBLEMS; ) {
          const page = await api.jobVideos(id, state, cursor);
          videos.push(...page.videos);
          cursor = page.cursor;
          if (!cursor) break;
        }
      }
      this.#list.replaceChildren(...videos.slice(0, MOST_PROBLEMS).map(problem));
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      this.#shown = null;
      this.#list.replaceChildren(make("li", { class: "error" }, error.message));
    }
  }
}

function problem(video) {
  const url = `https://www.youtube.com/watch?v=${encodeURIComponent(video.video_id)}`;
  return make(
    "li",
    { "data-state": video.state },
    linkTo(url, { dir: "auto" }, video.title || video.video_id),
    make("span", { class: "reason" }, video.reason ?? ""),
  );
}

function stateInWords(job) {
  const parts = [WORDS[job.state] ?? job.state];
  if (job.state === "running" && job.eta_seconds !== null) parts.push(remaining(job.eta_seconds));
  if (!isActive(job) && job.finished_at) parts.push(`${day(job.finished_at)}, ${timeOfDay(job.finished_at)}`);
  return parts.join(" · ");
}

function countsInWords({ counts, total, reused, state }) {
  if (state === "queued" || (total === null && counts.pending === 0 && counts.indexed === 0)) return "";
  const parts = [];
  if (total === 0) parts.push("The playlist is empty");
  else if (total === null) parts.push(`${many(counts.pending, "video", "videos")} found so far`);
  else parts.push(`${count(counts.indexed)} of ${many(total, "video", "videos")} indexed`);
  const left = ACTIVE.has(state) ? "to go" : "left out";
  if (total !== null && counts.pending) parts.push(`${count(counts.pending)} ${left}`);
  if (reused) parts.push(`${count(reused)} known already`);
  return parts.join(" · ");
}

function noteInWords(job) {
  if (job.error) return job.error;
  if (job.blocked_until && isActive(job)) {
    return `YouTube asks us to slow down; it goes on by itself at ${timeOfDay(job.blocked_until)}.`;
  }
  return "";
}

function problemsInWords(counts) {
  const parts = [];
  if (counts.failed) parts.push(`${count(counts.failed)} failed`);
  if (counts.unavailable) parts.push(`${count(counts.unavailable)} unavailable`);
  if (counts.no_transcript) parts.push(`${count(counts.no_transcript)} without captions`);
  return parts.join(", ");
}
