// Starting jobs, and watching them until they are over.

import * as api from "/api.js";
import { byId, say } from "/dom.js";
import { isActive, JobCard } from "/job-card.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
const AGAIN_MS = 3_000;

const cards = new Map();
const watched = new Set();
let changed = () => {};
let refused = () => {};

/**
 * `onChange(jobs)`: called with how many jobs there are, and whether one ended just now.
 * `onRefused(error)`: the token is not, or no longer, good.
 */
export function setUp({ onChange, onRefused }) {
  changed = onChange;
  refused = onRefused;
  byId("start").addEventListener("submit", start);
}

/**
 * The caller's recent jobs, so that loading the page again loses nothing. What goes wrong is shown,
 * and tried again; only a token that is not taken is thrown, as an ApiError.
 */
export async function load() {
  let jobs;
  try {
    jobs = await api.recentJobs();
  } catch (error) {
    if (!(error instanceof api.ApiError) || error.status === 401) throw error;
    say(byId("jobs-error"), error.message);
    setTimeout(() => load().catch(refused), AGAIN_MS);
    return;
  }
  say(byId("jobs-error"), "");
  byId("jobs").replaceChildren();
  cards.clear();
  for (const job of jobs) show(job, false);
  changed({ count: cards.size, ended: false });
}

async function start(event) {
  event.preventDefault();
  const input = byId("playlist");
  const button = event.submitter ?? byId("start").querySelector("button");
  if (button.disabled) return;
  say(byId("start-error"), "");
  button.disabled = true;
  try {
    const { job_id: id } = await api.startIndexing(input.value);
    show(await api.job(id), true);
    input.value = "";
    input.removeAttribute("aria-invalid");
    changed({ count: cards.size, ended: false });
    cards.get(id).element.scrollIntoView({ block: "nearest" });
  } catch (error) {
    if (!failed(error, "start-error")) return;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  } finally {
    button.disabled = false;
  }
}

function show(job, first) {
  let card = cards.get(job.job_id);
  if (card) {
    card.update(job);
  } else {
    card = new JobCard(job, (after) => show(after, false));
    cards.set(job.job_id, card);
    if (first) byId("jobs").prepend(card.element);
    else byId("jobs").append(card.element);
  }
  if (isActive(job)) watch(job);
}

/** Asks often while something happens, and less and less often while nothing does. */
async function watch(job) {
  const id = job.job_id;
  if (watched.has(id)) return;
  watched.add(id);
  let pause = FIRST_PAUSE_MS;
  let last = JSON.stringify(job);
  while (watched.has(id)) {
    await passed(pause);
    if (!cards.has(id)) break;
    try {
      const now = await api.job(id);
      say(byId("jobs-error"), "");
      const text = JSON.stringify(now);
      pause = text === last ? Math.min(pause * 1.5, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
      last = text;
      cards.get(id)?.update(now);
      if (!isActive(now)) {
        watched.delete(id);
        say(byId("jobs-status"), `${now.title ?? now.playlist_id}: ${now.state}`);
        changed({ count: cards.size, ended: true });
      }
    } catch (error) {
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      if (!failed(error, "jobs-error")) break;
    }
  }
  watched.delete(id);
}

/** After the pause, and not while nobody sees the page. */
function passed(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(() => {
      if (!document.hidden) resolve();
      else document.addEventListener("visibilitychange", resolve, { once: true });
    }, milliseconds);
  });
}

/** Shows what an ApiError says; false if the person has to come back with another token first. */
function failed(error, place) {
  if (!(error instanceof api.ApiError)) throw error;
  if (error.status === 401) {
    refused(error);
    return false;
  }
  say(byId(place), error.message);
  return true;
}
