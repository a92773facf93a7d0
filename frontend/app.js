// The page: locked until there is a token that the API takes, then jobs and search.

import { ApiError } from "/api.js";
import { byId, say } from "/dom.js";
import * as jobs from "/jobs.js";
import * as search from "/search.js";
import * as session from "/session.js";

const REFUSED = "This token is not, or no longer, valid.";

function lock(message) {
  byId("open").hidden = true;
  byId("search").hidden = true;
  byId("locked").hidden = false;
  say(byId("locked-error"), message);
  byId("token").focus();
}

async function open() {
  const had = session.token() !== null;
  try {
    await jobs.load();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    session.forget();
    lock(had ? REFUSED : "");
    return;
  }
  byId("locked").hidden = true;
  byId("open").hidden = false;
  byId("search").hidden = false;
  search.fromAddress();
}

function refused() {
  session.forget();
  lock(REFUSED);
}

jobs.setUp({ onChange: search.jobsChanged, onRefused: refused });
search.setUp({ onRefused: refused });
byId("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  session.keep(byId("token").value);
  byId("token").value = "";
  open();
});
// Another address in this same tab: with a token, or from the history.
addEventListener("popstate", () => {
  if (session.takeFromAddress()) open();
  else if (!byId("open").hidden) search.fromAddress();
});
session.takeFromAddress();
open();
