"""`reindex`: rebuilds the search index from the stored videos."""

from __future__ import annotations

import json

import requests

from infra.local.cli.api import ApiError

#: For connecting, and between two steps of the answer.
_TIMEOUT = (5, 600)


def reindex(port: int, *, only_outdated: bool = False) -> None:
    """Calls the function on this port and prints its progress.

    ``only_outdated``: nothing happens, and nothing is printed, if the index was made by this version.

    Raises:
        ApiError: the function refused, or ended too early.
    """
    step: dict[str, object] = {}
    # The server is on this machine, so proxies are ignored.
    with requests.Session() as session:
        session.trust_env = False
        url = f"http://127.0.0.1:{port}/" + ("?only=outdated" if only_outdated else "")
        with session.post(url, json={}, stream=True, timeout=_TIMEOUT) as answer:
            if answer.status_code != 200:
                raise ApiError(f"Reindexing failed: status {answer.status_code}, {answer.text[:300]}")
            for line in answer.iter_lines():
                begun, step = bool(step), json.loads(line)
                if "total" in step:
                    if only_outdated and not begun:
                        print(
                            "The search index is not complete, or of another version. It is filled:",
                            flush=True,
                        )
                    done, how = step.get("indexed"), ""
                    if done is None:
                        done, how = step["passages"], " by meaning"
                    print(f"{done} of {step['total']} videos{how}", flush=True)
    if only_outdated and step.get("done") and not step["indexed"] and not step["passages"]:
        return
    if not step.get("done"):
        reason = step.get("error", "no reason given, see ./emulators.sh logs reindex")
        raise ApiError(f"Reindexing stopped before the end: {reason}. Searches still use the old index.")
    print(f"Done: {step['indexed']} videos by words, {step['passages']} by meaning.")
