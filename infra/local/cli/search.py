"""`search WORDS`: prints hits with their moments, or the answer as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

from infra.local.cli.api import Api

_STRENGTHS = {"strong": "(near)", "good": "(rather near)", "weak": "(far)"}
_BOLD, _FAINT, _END = "\033[1m", "\033[2m", "\033[0m"


def search(api: Api, words: str, as_json: bool, limit: int = 10, meaning: bool = False) -> None:
    """Raises ApiError."""
    by = {"by": "meaning"} if meaning else {}
    answer = api.call("GET", "/api/search", params={"q": words, "limit": limit, **by})
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
        return
    show(answer, color=sys.stdout.isatty())


def show(answer: dict[str, Any], color: bool) -> None:
    """Prints an answer of /api/search."""
    for hit in answer["hits"]:
        gone = "  (not on YouTube any more)" if hit.get("gone") else ""
        print(f"{text_of(hit['title'], color)}  {_faint(hit['channel'] or '', color)}".rstrip() + gone)
        if hit.get("missing"):
            print(f"           {_faint('without: ' + ', '.join(hit['missing']), color)}")
        for moment in hit["moments"]:
            print(f"  {timestamp(moment['start'])}  {text_of(moment['snippet'], color)}")
            print(f"           {_faint(moment['url'], color)}")
        for passage in hit.get("passages", ()):
            text = text_of(passage["text"], color)
            print(
                f"  {timestamp(passage['start'])}  {text}  {_faint(_STRENGTHS[passage['strength']], color)}"
            )
            print(f"           {_faint(passage['url'], color)}")
        if not hit["moments"] and not hit.get("passages"):
            print(f"           {_faint(hit['url'], color)}")
        if (more := hit["moment_count"] - len(hit["moments"])) > 0:
            print(f"           {_faint(f'and {more} more moments', color)}")
    shown = len(answer["hits"])
    of = "" if shown == answer["total"] else f", the first {shown} shown"
    videos = "video" if answer["total"] == 1 else "videos"
    print(f"{answer['total']} {videos} in {answer['took_ms']} ms{of}")
    for notice in answer.get("notices", ()):
        print(notice)
    if answer.get("meaning", {}).get("offer") and answer["meaning"]["state"] == "on":
        print("This is a question: search --meaning finds passages that answer it.")
    if answer.get("did_you_mean"):
        print(f"Did you mean: {answer['did_you_mean']}")


def timestamp(seconds: float) -> str:
    """h:mm:ss, rounded down to the whole second."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def text_of(segments: list[dict[str, Any]], color: bool) -> str:
    """One line of text. Matches are bold, or between asterisks without color."""
    left, right = (_BOLD, _END) if color else ("*", "*")
    parts = [f"{left}{part['text']}{right}" if part["match"] else part["text"] for part in segments]
    return " ".join("".join(parts).split())


def _faint(text: str, color: bool) -> str:
    return f"{_FAINT}{text}{_END}" if color and text else text
