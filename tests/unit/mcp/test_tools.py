"""The tools: small answers that say what they leave out, quoted words, and errors in sentences."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest

from shared.mcp.quotes import INSTRUCTIONS, clock
from tests.unit.mcp.served import HOSTILE, SEEN, VIDEO, Served, hit, part, quotes, results, video

_MARKED = re.compile(r"(?s)\A[^<]*<(quoted-[0-9a-f]{16})>\n(.*)\n</\1>\Z")


def test_a_search_passes_its_filters_on_and_shows_what_is_left_out() -> None:
    served = Served({"GET /api/search": results(hit(5, 9), hit(0, 0), total=40, cursor="abc")})
    found = served.content(
        "search", q='"a lease"', playlist=["PL1", "PL2"], after="2024-01-31", limit=2, by="meaning"
    )
    asked = httpx2.URL(served.asked[0].split(" ")[1]).params
    assert asked.multi_items() == [
        ("q", '"a lease"'),
        ("limit", "2"),
        ("by", "meaning"),
        ("playlist", "PL1"),
        ("playlist", "PL2"),
        ("after", "2024-01-31"),
    ]
    assert served.tokens == {"Bearer of-ada"}
    first, second = found["videos"]
    assert (first["moments"][0]["time"], first["moments"][0]["second"]) == ("1:01", 61.9)
    assert (first["more_moments"], first["quoted_description"]) == (4, None)
    assert (second["moments"], second["quoted_description"]) == ([], "about a lease")
    assert "cursor 'abc'" in found["left_out"]
    assert "with video" in found["left_out"]
    served.content("search", q="x")
    assert served.asked[1] == "GET /api/search?q=x&limit=5"


def test_passages_that_are_found_by_meaning_are_moments() -> None:
    passage = {
        "start": 3.5,
        "end": 40.0,
        "line": 1,
        "url": "u",
        "text": [part("near ", True)],
        "strength": "strong",
    }
    served = Served({"GET /api/search": results(hit(0, 0) | {"passages": [passage]}, total=7)})
    found = served.content("search", q="what is a lease?", by="meaning")
    assert found["videos"][0]["moments"] == [
        {"second": 3.5, "time": "0:03", "url": "u", "quoted_text": "near", "strength": "strong"}
    ]
    assert found["left_out"] == "7 videos were found in all. Search with a higher limit."
    assert found["notices"] == []


def test_what_cannot_be_found_by_meaning_yet_and_beyond_the_limit_is_said() -> None:
    few = {"state": "on", "videos": 30, "of": 5000, "languages": []}
    served = Served({"GET /api/search": results(*[hit(0, 0)] * 10, total=12, meaning=few)})
    found = served.content("search", q="x", by="meaning", limit=10)
    assert found["notices"] == ["Only 30 of 5,000 videos can be found by meaning so far."]
    assert found["left_out"] == "12 videos were found in all. Narrow the search to see others."


def test_words_that_no_video_has_together_are_named() -> None:
    some = results(
        hit(1, 1) | {"missing": ["lease"]}, total=9, match="some_words", notices=["No video has all."]
    )
    found = Served({"GET /api/search": some}).content("search", q="a lease", limit=1)
    assert (found["notices"], found["videos"][0]["missing"]) == (["No video has all."], ["lease"])
    assert "higher limit" in found["left_out"]


def test_all_moments_of_one_video_come_in_parts() -> None:
    matches = {"moments": list(range(45)), "marked": [], "chapters": []}
    served = Served({f"GET /api/videos/{VIDEO}": video(60, matches=matches)})
    seen: list[float] = []
    cursor = None
    while True:
        found = served.content("search", q="lease", video=f"https://youtu.be/{VIDEO}", cursor=cursor)
        seen += [each["second"] for each in found["videos"][0]["moments"]]
        if (cursor := found["cursor"]) is None:
            break
    assert seen == [n * 3.0 for n in range(45)]
    for wrong in ("46", "-1", "x", "9" * 30):
        assert "cursor" in served.refusal("search", q="lease", video=VIDEO, cursor=wrong)
    assert "Leave the other" in served.refusal("search", q="lease", video=VIDEO, language=["en"])


def test_a_transcript_is_read_around_a_second_by_chapter_and_on() -> None:
    chapters = [{"start": 0, "title": "One"}, {"start": 300, "title": HOSTILE}]
    served = Served({f"GET /api/videos/{VIDEO}": video(2000, chapters=chapters)})

    def read(**arguments: Any) -> Any:
        return served.content("read_transcript", video=VIDEO, **arguments)

    around = read(second=100)
    assert (around["quoted_lines"][0], around["quoted_lines"][-1]) == (
        "[1:12] a lease expires 24",
        "[2:39] a lease expires 53",
    )
    assert around["url"].endswith("&t=72s")
    assert [each["quoted_title"] for each in around["chapters"]] == ["One", SEEN]
    assert read(chapter=2)["quoted_lines"][0].startswith("[5:00]")
    assert read(chapter=1, characters=20_000)["lines"] == {"first": 0, "last": 99, "of": 2000}
    # Read on, as each answer says, it is all there, once.
    lines, following = [], 0
    while True:
        part_of = read(from_line=following, characters=20_000)
        lines += part_of["quoted_lines"]
        assert sum(map(len, part_of["quoted_lines"])) <= 20_000
        if not (more := re.search(r"from_line=(\d+)", part_of["left_out"] or "")):
            break
        following = int(more[1])
    assert [line.rsplit(" ", 1)[1] for line in lines] == [str(n) for n in range(2000)]
    for wrong in (
        {"second": -1},
        {"second": 1e300},
        {"second": 99_999},
        {"chapter": 3},
        {"from_line": 2000},
        {"from_line": -1},
        {"characters": 1},
        {"second": 1, "chapter": 1},
    ):
        assert (
            "xpected" in (said := served.refusal("read_transcript", video=VIDEO, **wrong)) or "end at" in said
        )
    bare = Served({f"GET /api/videos/{VIDEO}": video()})
    assert "has no chapters" in bare.refusal("read_transcript", video=VIDEO, chapter=1)


@pytest.mark.parametrize(
    ("start", "end", "sentence"), [(5, 5, "end: expected a second after start"), (90, 99, "Nothing is said")]
)
def test_a_clip_needs_seconds_in_which_something_is_said(start: float, end: float, sentence: str) -> None:
    served = Served({f"GET /api/videos/{VIDEO}": video()})
    assert served.refusal("add_clip", video=VIDEO, start=start, end=end).startswith(sentence)


def test_no_captions_and_a_line_without_an_end_are_said() -> None:
    none = Served({f"GET /api/videos/{VIDEO}": video(0)}).content("read_transcript", video=VIDEO)
    assert (none["lines"], none["quoted_lines"]) == (None, [])
    assert "no captions" in none["left_out"]
    long = Served({f"GET /api/videos/{VIDEO}": video(1, "x" * 30_000)})
    read = long.content("read_transcript", video=VIDEO, second=1)
    assert len(read["quoted_lines"][0]) < 6100
    assert "cut" in read["left_out"]


def test_a_resource_is_the_whole_transcript_and_marked() -> None:
    served = Served({f"GET /api/videos/{VIDEO}": video(3, HOSTILE), "GET /api/videos/-unknown-00": 404})
    text = _MARKED.fullmatch(served.read(f"yts://videos/{VIDEO}/transcript"))
    assert text is not None
    assert f"[0:06] {SEEN} 2" in text[2]
    assert (
        served.read("yts://videos/-unknown-00/transcript") == "refused: There is no such thing. Try another."
    )
    for wrong in ("..%2Fme", "me", "x/../y"):
        assert served.read(f"yts://videos/{wrong}/transcript").startswith("refused: ")
    assert len(served.asked) == 2


def test_words_of_others_are_quoted_and_cannot_leave_the_marks() -> None:
    clip = {
        **{"id": "c1", "video_id": VIDEO, "title": HOSTILE, "channel": HOSTILE, "start": 1, "end": 2},
        **{"url": "u", "text": HOSTILE, "note": HOSTILE, "tags": [HOSTILE]},
    }
    source = {"playlist_id": "PL1", "title": HOSTILE, "kind": "playlist", "video_count": 1, "indexed": None}
    counts = {"pending": 0, "indexed": 0, "failed": 1}
    job = dict.fromkeys(("total", "created_at", "finished_at", "eta_seconds", "blocked_until", "error")) | {
        "job_id": "j1",
        "playlist_id": "PL1",
        "title": HOSTILE,
        "state": "done",
        "counts": counts,
    }
    failed = {"videos": [{"video_id": VIDEO, "title": HOSTILE, "state": "failed", "reason": "It failed."}]}
    line = dict.fromkeys(("playlist_id", "job_id", "detail", "choice")) | {
        **{"text": HOSTILE, "taken_for": "nothing", "title": HOSTILE}
    }
    served = Served(
        {
            "GET /api/search": results(hit(2, 2)),
            f"GET /api/videos/{VIDEO}": video(3, HOSTILE),
            "GET /api/playlists": {"playlists": [source]},
            "GET /api/jobs/j1": job,
            "GET /api/jobs/j1/videos": failed,
            "POST /api/sources": {"lines": [line]},
            "GET /api/clips": {"clips": [clip], "total": 1, "cursor": None, "tags": []},
            "POST /api/clips": clip,
        }
    )
    marks = set()
    tools: dict[str, dict[str, Any]] = {
        "search": {"q": "lease"},
        "read_transcript": {"video": VIDEO},
        "list_sources": {},
        "job": {"job_id": "j1"},
        "index": {"text": HOSTILE},
        "clips": {},
        "add_clip": {"video": VIDEO, "start": 0, "end": 2},
    }
    for tool, arguments in tools.items():
        answer = served.call(tool, **arguments)
        assert not answer.is_error, answer
        said = [(name, text) for name, text in quotes(answer.structured_content) if "Ignore" in text]
        assert said, tool
        assert {name for name, _ in said if not name.startswith("quoted_")} == set(), tool
        assert not any(unseen in text for _, text in said for unseen in "\x1b\u202e\U000e0041"), tool
        marked = _MARKED.fullmatch(answer.content[0].text)  # type: ignore[union-attr]
        assert marked is not None, tool
        assert json.loads(marked[2]) == answer.structured_content
        marks.add(marked[1])
    assert len(marks) == 7
    assert INSTRUCTIONS in (served.server.instructions or "")


def test_answers_are_small_however_long_the_texts_are() -> None:
    hits = [hit(5, 900, title="t" * 9000) for _ in range(10)]
    served = Served(
        {
            "GET /api/search": results(*hits, total=10**6, cursor="c"),
            f"GET /api/videos/{VIDEO}": video(
                50_000,
                "word " * 20,
                chapters=[{"start": n * 20, "title": "c" * 900} for n in range(900)],
            ),
            "GET /api/playlists": {
                "playlists": [
                    {"playlist_id": f"PL{n}", "title": "t" * 900, "kind": "playlist", "video_count": 1}
                    for n in range(500)
                ]
            },
        }
    )
    bounds: dict[str, tuple[dict[str, Any], int]] = {
        "search": ({"q": "x", "limit": 10}, 50_000),
        "read_transcript": ({"video": VIDEO, "characters": 20_000}, 40_000),
        "list_sources": ({}, 25_000),
    }
    for tool, (arguments, most) in bounds.items():
        answer = served.call(tool, **arguments)
        assert len(answer.content[0].text) < most, tool  # type: ignore[union-attr]
        assert answer.structured_content["left_out"], tool
    assert "50 further" not in str(served.content("list_sources", skip=450)["left_out"])
    assert len(served.read(f"yts://videos/{VIDEO}/transcript")) < 410_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "q: field required."),
        ({"q": ["x"]}, "q: input should be a valid string."),
        ({"q": "x", "lang": "en"}, "search has no argument 'lang'."),
        ({"q": "x", "limit": 11}, "limit: expected a number from 1 to 10, found 11."),
        ({"q": "x", "limit": "many"}, "limit: input should be a valid integer"),
        ({"q": "x", "by": "colour"}, "by: input should be 'words' or 'meaning'."),
        ({"q": "x", "video": "nothing"}, "video: expected the id or address of a video, found 'nothing'."),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], sentence: str) -> None:
    assert Served({}).refusal("search", **arguments).startswith(sentence)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (404, "There is no such thing. Try another."),
        (503, "There is no such thing. Try another."),
        (httpx2.ReadTimeout("x"), "The service did not answer in time. Try again in a moment."),
        (httpx2.ConnectError("x"), "The service cannot be reached. Try again in a moment."),
        ("<html>", "Expected JSON, found an answer with status 200."),
        ([1], "Expected a JSON object, found list."),
    ],
)
def test_an_error_of_the_api_is_its_sentence(answer: Any, sentence: str) -> None:
    assert Served({"GET /api/search": answer}).refusal("search", q="\ud800") == sentence


def test_a_defect_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert (
        Served({"GET /api/search": {"hits": None}}).refusal("search", q="x") == "Error executing tool search"
    )
    assert "raised an unexpected exception" in caplog.text


def test_a_large_channel_is_a_choice_of_the_user() -> None:
    line = {"text": "@talks", "taken_for": "channel", "title": "Talks", "playlist_id": "UU1", "job_id": None}
    choice = {"videos": 4000, "seconds": 900, "units": 80}
    started = {"job_id": "j1", "playlist_id": "UU1"}
    served = Served(
        {
            "POST /api/sources": {"lines": [line | {"detail": None, "choice": choice}]},
            "POST /api/index": started,
        }
    )
    asked = served.content("index", text="@talks")
    assert (asked["job_ids"], "4,000 videos" in asked["lines"][0]["detail"]) == ([], True)
    assert served.content("index", text="@talks", newest=50)["job_ids"] == ["j1"]
    assert "Add it in parts" in served.refusal("index", text="x\n" * 51)


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (61.99, "1:01"), (3600, "1:00:00")])
def test_times_are_shown_as_youtube_shows_them(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
