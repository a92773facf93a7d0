// Searching while one types.

import * as api from "/api.js";
import { byId, make, say } from "/dom.js";
import { many } from "/format.js";
import { hitElement } from "/hits.js";

const PAUSE_MS = 180;
const EXAMPLES = [
  ['"exact phrase"', "these words in this order, also across caption lines"],
  ["tomatoes -greenhouse", "the one without the other"],
  ["sourdough OR starter", "either of them"],
  ["title:chess channel:museum", "only there"],
  ["sail* tomatos~", "beginnings of words, and misspellings"],
];

let running = null;
let timer = 0;
let shown = null;
let cursor = null;
let jobs = 0;
let refused = () => {};

/** `onRefused(error)`: the token is not, or no longer, good. */
export function setUp({ onRefused }) {
  refused = onRefused;
  const input = byId("q");
  input.addEventListener("input", (event) => {
    if (!event.isComposing) later();
  });
  input.addEventListener("compositionend", later);
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  byId("more").addEventListener("click", more);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
}

/** The query that stands in the address. */
export function fromAddress() {
  byId("q").value = new URLSearchParams(location.search).get("q") ?? "";
  run();
}

/** How many jobs there are decides what to say where nothing is searched; asks again when one ended. */
export function jobsChanged({ count, ended }) {
  jobs = count;
  if (ended && query()) run({ again: true });
  else if (!query()) welcome();
}

const query = () => byId("q").value.trim();

function later() {
  clearTimeout(timer);
  timer = setTimeout(run, PAUSE_MS);
}

async function run({ again = false } = {}) {
  clearTimeout(timer);
  const q = query();
  if (q === shown && !again) return;
  running?.abort();
  shown = q;
  cursor = null;
  history.replaceState(history.state, "", q ? `?${new URLSearchParams({ q })}` : location.pathname);
  document.title = q ? `${q} · yts` : "yts · search what was said";
  say(byId("found-error"), "");
  if (!q) {
    welcome();
    return;
  }
  byId("welcome").hidden = true;
  const answer = await ask(q);
  if (!answer) return;
  byId("hits").replaceChildren(...answer.hits.map(hitElement));
  // Text, and one button where there is another spelling to try.
  const status = byId("found-status");
  status.replaceChildren(answer.total ? `${many(answer.total, "video", "videos")}` : `Nothing found for “${q}”.`);
  if (answer.did_you_mean && answer.did_you_mean !== q) {
    const button = make("button", { type: "button", class: "plain", dir: "auto" }, answer.did_you_mean);
    button.addEventListener("click", () => {
      byId("q").value = answer.did_you_mean;
      run();
    });
    status.append(" Did you mean ", button, "?");
  }
}

async function more() {
  const answer = await ask(shown, cursor);
  if (!answer) return;
  const added = answer.hits.map(hitElement);
  byId("hits").append(...added);
  added[0]?.querySelector("h2 a")?.focus();
}

/** One page of hits; null if another search took its place, or it failed, which is said. */
async function ask(q, from = null) {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const found = byId("hits");
  found.setAttribute("aria-busy", "true");
  byId("more").disabled = true;
  try {
    const answer = await api.search(q, from, mine.signal);
    if (running !== mine) return null;
    cursor = answer.cursor;
    byId("more").hidden = !cursor;
    return answer;
  } catch (error) {
    if (running !== mine || mine.signal.aborted) return null;
    if (!(error instanceof api.ApiError)) throw error;
    shown = null; // the same words may be asked again
    if (error.status === 401) refused(error);
    found.replaceChildren();
    byId("more").hidden = true;
    say(byId("found-status"), "");
    say(byId("found-error"), error.message);
    return null;
  } finally {
    if (running === mine) {
      found.removeAttribute("aria-busy");
      byId("more").disabled = false;
    }
  }
}

function welcome() {
  byId("hits").replaceChildren();
  byId("more").hidden = true;
  say(byId("found-status"), "");
  const place = byId("welcome");
  place.hidden = false;
  if (jobs === 0) {
    place.replaceChildren(
      make("h2", {}, "Nothing to search yet"),
      make("p", {}, "Paste the address of a YouTube playlist, and every word said in it can be found, to the second."),
    );
    return;
  }
  const examples = make("dl", { class: "examples" });
  for (const [example, meaning] of EXAMPLES) {
    examples.append(make("div", {}, make("dt", {}, make("code", {}, example)), make("dd", {}, meaning)));
  }
  place.replaceChildren(make("h2", {}, "Search what was said"), examples);
}
