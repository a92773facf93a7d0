"""Clips: which bodies are accepted, what is kept, and how clips are found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from shared import clock
from shared.declared import Parameters, read_object
from shared.errors import BadRequest, Busy, NotFound, Transient
from shared.keep import clips as module
from shared.keep.clip_views import ClipChange, ClipFilters, NewClip
from shared.keep.clips import Clips, Wanted, forget
from shared.search.params import Params
from shared.search.placing import Placing
from shared.search.service import Search
from shared.transcripts.transcript import Line
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock

LINES = [Line(number * 4 + 0.5, 5, text) for number, text in enumerate(["=one", "two", "three", "four"])]


class OneVideo(Search):
    """A search that knows one video. ``there``: it is still in the library. ``down``: nothing answers."""

    def __init__(self) -> None:
        self.there = True
        self.down = False
        self.asked = 0
        self.lines = LINES

    def video(self, user_id: str, titles: Mapping[str, str], video_id: str) -> Any:
        if (user_id, video_id) != ("ada", "boats"):
            raise NotFound("There is no such video in your library.")
        return {"video_id": "boats", "title": "Boats [x]", "channel": "Harbour"}, self.lines

    def ids(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> list[str]:
        self.asked += 1
        if self.down:
            raise Transient("The search index did not answer in time.")
        return ["boats"] if self.there and "boats" in (params.among or ()) else []


@pytest.fixture
def db() -> InMemory:
    db = InMemory()
    db["users/ada/memberships/PL"] = {"title": "Talks"}
    return db


@pytest.fixture
def search() -> OneVideo:
    return OneVideo()


@pytest.fixture
def clips(db: InMemory, search: OneVideo, monkeypatch: pytest.MonkeyPatch) -> Clips:
    time = StoppedClock()

    def later() -> datetime:
        time.forward(seconds=1)
        return time()

    monkeypatch.setattr(clock, "now", later)
    return Clips(db, search)


def add(clips: Clips, **fields: Any) -> dict[str, Any]:
    body = {"video_id": "boats", "from_line": 1, "to_line": 2, **fields}
    return dict(clips.add("ada", read_object(NewClip, json.dumps(body).encode())))


def change(clips: Clips, user_id: str, clip_id: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return clips.change(user_id, clip_id, read_object(ClipChange, json.dumps(fields).encode()))


def found(clips: Clips, **asked: str) -> list[str]:
    wanted = Wanted.of(Parameters(ClipFilters).read(MultiDict(asked)))
    return [clip["note"] for clip in clips.page("ada", wanted, 50)["clips"]]


def test_a_clip_keeps_its_lines(clips: Clips) -> None:
    clip = add(clips, note=" a\r\nb ", tags=["#Sails, to  read", "sails", ","])
    clip_id, created_at = clip.pop("id"), clip.pop("created_at")
    assert (len(clip_id), created_at[-1]) == (22, "Z")
    assert clip == {
        **{"video_id": "boats", "title": "Boats [x]", "channel": "Harbour", "from_line": 1, "to_line": 2},
        # The next line begins at 12.5, before this one ends.
        **{"start": 4.5, "end": 12.5, "text": "two\nthree", "note": "a\nb", "tags": ["Sails", "to read"]},
        "url": "https://www.youtube.com/watch?v=boats&t=4s",
    }
    assert add(clips, to_line=3)["end"] == 17.5


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"video_id": 7}, "video_id: expected"),
        ({"video_id": None}, "video_id: expected"),
        ({"from_line": None}, "from_line: expected"),
        ({"from_line": "1"}, "from_line: expected"),
        ({"from_line": True}, "from_line: expected"),
        ({"from_line": 1.0}, "from_line: expected"),
        ({"from_line": -1}, "from_line: expected"),
        ({"from_line": 3}, "to_line: expected a line that is not before"),
        ({"to_line": [2]}, "to_line: expected"),
        ({"to_line": 4}, "at most 3"),
        ({"to_line": 10**40}, "at most 3"),
        ({"note": None}, "note: expected"),
        ({"note": ["a"]}, "note: expected"),
        ({"note": "x" * 5001}, "at most 5,000"),
        ({"tags": None}, "tags: expected"),
        ({"tags": "a"}, "tags: expected"),
        ({"tags": [1]}, "tags: expected"),
        ({"tags": ["x" * 51]}, "at most 50"),
        ({"tags": [f"t{n}" for n in range(21)]}, "at most 20"),
        ({"tags": ["t"] * 201}, "at most 20"),
    ],
)
def test_a_wrong_field_is_named(clips: Clips, fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(BadRequest, match=expected):
        add(clips, **fields)
    if not {"note", "tags"}.isdisjoint(fields):
        clip = add(clips)
        with pytest.raises(BadRequest, match=expected):
            change(clips, "ada", clip["id"], fields)


def test_what_is_as_long_as_allowed(clips: Clips, search: OneVideo) -> None:
    tags = [f"{n:02}{'x' * 48}" for n in range(20)]
    assert add(clips, note="x" * 5000, tags=tags)["tags"] == tags
    search.lines = [Line(0, 1, "x" * 9999), Line(1, 1, "y" * 9999), Line(2, 1, "z")]
    assert len(add(clips, from_line=0, to_line=1)["text"]) == 19_999
    with pytest.raises(BadRequest, match="Choose fewer lines"):
        add(clips, from_line=0, to_line=2)
    search.lines = []
    with pytest.raises(BadRequest, match="no captions"):
        add(clips)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "a\x00\ud83d", "\u202e", "🎬" * 10, "{{x}} <b> ]]"])
def test_odd_text_can_be_kept_and_sought(clips: Clips, text: str) -> None:
    clip = add(clips, note=f"note {text}", tags=[text, "t"])
    assert clip["note"].encode().startswith(b"note")
    assert found(clips, q="note", tag="t") == [clip["note"]]
    found(clips, q=text, tag=text, video=text)


def test_other_videos_and_other_people(clips: Clips) -> None:
    with pytest.raises(NotFound, match="no such video"):
        add(clips, video_id="other")
    clip = add(clips)
    for clip_id in (clip["id"], "0" * 22, "x", "..", "a/b", ""):
        for user in ("ada", "eve"):
            if (user, clip_id) != ("ada", clip["id"]):
                with pytest.raises(NotFound, match="no such clip"):
                    change(clips, user, clip_id, {"note": "mine"})
                with pytest.raises(NotFound, match="no such clip"):
                    clips.delete(user, clip_id)
    assert clips.page("eve", Wanted(), 50)["clips"] == []
    clips.delete("ada", clip["id"])
    assert found(clips) == []


def test_there_is_a_limit(clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAXIMUM", 2)
    clip = add(clips)
    add(clips)
    with pytest.raises(Busy, match="You have 2 clips"):
        add(clips)
    clips.delete("ada", clip["id"])
    add(clips)


def test_a_change_keeps_what_it_does_not_name(clips: Clips, db: InMemory) -> None:
    clip = add(clips, note="a", tags=["t"])
    assert change(clips, "ada", clip["id"], {"note": "b", "text": "forged"}) == {**clip, "note": "b"}
    assert change(clips, "ada", clip["id"], {"tags": ["u"]}) == {**clip, "note": "b", "tags": ["u"]}
    assert change(clips, "ada", clip["id"], {}) == {**clip, "note": "b", "tags": ["u"]}
    # Somebody else changes the other field between reading and writing.
    db.meanwhile = lambda: db.commit().update(f"users/ada/clips/{clip['id']}", {"tags": ["v"]}).run()
    assert change(clips, "ada", clip["id"], {"note": "c"}) == {**clip, "note": "c", "tags": ["v"]}
    db.meanwhile = lambda: clips.delete("ada", clip["id"])
    with pytest.raises(NotFound):
        change(clips, "ada", clip["id"], {"note": "d"})


def test_words_are_folded(clips: Clips) -> None:
    add(clips, note="Études", tags=["Straße"])
    add(clips, note="机器学习")
    for q in ("etudes", "ÉTU", "strasse two", "boats etudes", "three"):
        assert "Études" in found(clips, q=q), q
    assert found(clips, q="学习") == ["机器学习"]
    for q in ("tudes", "four", "etudes four", "?!", "harbour"):
        assert found(clips, q=q) == [], q
    assert len(found(clips, q=" ")) == 2
    with pytest.raises(BadRequest, match="2,000"):
        found(clips, q="x" * 2001)


def test_tags_are_counted_whatever_tag_is_wanted(clips: Clips) -> None:
    add(clips, note="a", tags=["Sail", "wind"])
    add(clips, note="b", tags=["sail"])
    add(clips, note="c")
    page = clips.page("ada", Wanted.of(ClipFilters(tag="SAIL")), 50)
    assert [clip["note"] for clip in page["clips"]] == ["b", "a"]
    assert (page["total"], page["tags"]) == (
        2,
        [{"value": "sail", "count": 2}, {"value": "wind", "count": 1}],
    )
    assert found(clips, tag="wind", q="two") == ["a"]
    assert found(clips, video="boats") == ["c", "b", "a"]
    assert found(clips, video="other") == []


def test_pages_have_every_clip_once(clips: Clips) -> None:
    for number in range(5):
        add(clips, note=str(number))
    notes: list[str] = []
    cursor: str | None = None
    while True:
        page = clips.page("ada", Wanted(), 2, cursor)
        notes += [clip["note"] for clip in page["clips"]]
        assert page["total"] == (5 if cursor is None else 6)
        if cursor is None:
            # A clip that is made meanwhile is on the first page.
            add(clips, note="new")
        if (cursor := page["cursor"]) is None:
            break
    assert notes == ["4", "3", "2", "1", "0"]
    assert [clip["note"] for clip in clips.every("ada", Wanted())] == ["new", *notes]
    for wrong in ("x", "0" * 21, "G" * 22, "../" * 8):
        with pytest.raises(BadRequest, match="cursor"):
            clips.page("ada", Wanted(), 2, wrong)


def test_a_clip_outlives_its_video(clips: Clips, search: OneVideo, db: InMemory) -> None:
    clip = add(clips)
    search.there = False
    assert clips.page("ada", Wanted(), 50)["clips"] == [{**clip, "gone": True}]
    db.commit().delete("users/ada/memberships/PL").run()
    search.there = True
    assert clips.page("ada", Wanted(), 50)["clips"] == [{**clip, "gone": True}]


def test_clips_are_read_without_the_search_index(clips: Clips, search: OneVideo) -> None:
    """Also exported, and changed. The index is asked once, however many clips there are."""
    clip = add(clips, note="a")
    search.down = True
    assert clips.page("ada", Wanted(), 50)["clips"] == [clip]
    assert change(clips, "ada", clip["id"], {"note": "b"}) == {**clip, "note": "b"}
    search.asked = 0
    for _ in range(250):
        add(clips)
    assert len(list(clips.every("ada", Wanted()))) == 251
    assert search.asked == 1


def test_all_clips_of_a_person_are_forgotten(clips: Clips, db: InMemory) -> None:
    add(clips)
    db["users/eve/clips/x"] = {"video_id": "v"}
    forget(db, "ada")
    assert found(clips) == []
    assert db["users/eve/clips/x"]
