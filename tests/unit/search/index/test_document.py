"""The document of a video in the search index."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.search.index import mapping
from shared.search.index.document import write_of
from shared.search.index.lines import unpack
from shared.transcripts.store import Outcome, digest
from shared.transcripts.transcript import Lines, pack_lines
from shared.transcripts.videos import Metadata

LISTED, ASKED = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)
METADATA = Metadata(
    video_id="v1",
    title="Les  études",
    description="",
    channel="Café",
    channel_id="UC1",
    published_at=None,
    duration_seconds=60,
    views=5,
    thumbnail_url=None,
    fetched_at=LISTED,
)


CHAPTERS = "About.\n0:00 Why  C++\n0:20 The sea\n10:00 End"


def outcome(language: str | None, *texts: str) -> Outcome:
    lines = Lines([1000 * number for number in range(len(texts))], [900] * len(texts), list(texts))
    packed = pack_lines(lines) if texts else b""
    kind: Any = "transcript" if texts else "no_transcript"
    return Outcome(kind, ASKED, language=language, generated=False, packed=packed, digest=str(packed))


def body_of(outcome: Outcome) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(write_of(METADATA, outcome).body)
    return body


def test_texts_are_shown_as_they_are_and_searched_in_their_language() -> None:
    body = body_of(outcome("fr-CA", "à côté", "de la rivière"))
    assert body["analyzer"] == "french"
    assert body["transcript"] == body["stems"]["transcript"]["french"] == "à côté de la rivière"
    assert body["title"] == body["stems"]["title"]["french"] == "Les études"
    assert body["channel"] == "Café"
    assert (unpack(body["line_offsets"]), unpack(body["line_starts"])) == ([0, 7], [0, 1000])


def test_a_language_without_an_analyzer_has_no_stems() -> None:
    body = body_of(outcome("tlh", "nuqneH"))
    assert body["transcript"] == "nuqneH"
    assert not {"stems", "analyzer"} & set(body)


def test_stems_have_spaces_in_place_of_sounds() -> None:
    body = body_of(outcome("en", "one [Music 🎵]", "(laughs) two f(x)"))
    assert body["transcript"] == "one [Music 🎵] (laughs) two f(x)"
    assert body["stems"]["transcript"]["english"] == "one" + " " * 21 + "two f(x)"


def test_stems_have_spaces_in_place_of_names_with_signs() -> None:
    body = body_of(outcome("en", "C++ and .NET, vitamin C"))
    assert body["transcript"] == "C++ and .NET, vitamin C"
    assert body["stems"]["transcript"]["english"] == "    and     , vitamin C"


def test_lines_without_text_are_left_out() -> None:
    body = body_of(outcome("en", "one", " \u200e ", "three"))
    assert body["transcript"] == "one three"
    assert unpack(body["line_starts"]) == [0, 2000]


@pytest.mark.parametrize(
    ("texts", "whole", "starts"),
    [
        (("alpha bravo", "bravo charlie", "charlie delta"), "alpha bravo charlie delta", [0, 1000, 2000]),
        (("a b", "a b c d", "c d e", "e f"), "a b c d e f", [0, 1000, 2000, 3000]),
        (("one", "one two", "two", "two three"), "one two three", [0, 1000, 3000]),
        (
            ("Alpha bravo.", "Bravo charlie,", ">> charlie delta"),
            "Alpha bravo. charlie, delta",
            [0, 1000, 2000],
        ),
        (("今天我们", "我们学习", "学习机器"), "今天我们学习机器", [0, 1000, 2000]),
        # A chorus repeats whole lines, and people repeat words.
        (("let it be", "let it be", "let it be"), "let it be let it be let it be", [0, 1000, 2000]),
        (("no no", "no way", "we go", "to town"), "no no no way we go to town", [0, 1000, 2000, 3000]),
        (("I said no", "no I won't go", "bye now"), "I said no no I won't go bye now", [0, 1000, 2000]),
        (("so", "so"), "so so", [0, 1000]),
    ],
)
def test_words_of_the_line_before_are_no_text(texts: tuple[str, ...], whole: str, starts: list[int]) -> None:
    body = body_of(outcome("en", *texts))
    assert (body["transcript"], unpack(body["line_starts"])) == (whole, starts)


def test_a_video_without_captions_has_no_language_and_no_lines() -> None:
    body = body_of(outcome(None))
    assert body["analyzer"] == "french", "guessed from the title"
    assert not {"language", "generated", "transcript", "line_offsets", "description"} & set(body)


def test_all_fields_are_in_the_mapping() -> None:
    properties = mapping.videos()["mappings"]["properties"]
    described = replace(METADATA, description=CHAPTERS, duration_seconds=1000)
    body = json.loads(write_of(described, outcome("en", "one")).body)
    assert "chapter" in body
    assert set(body) <= set(properties)
    assert set(body["stems"]) <= set(properties["stems"]["properties"]) == set(mapping.TEXTS)


def test_the_titles_of_chapters_are_searched_one_by_one() -> None:
    described = replace(METADATA, description=CHAPTERS, duration_seconds=1000)
    body = json.loads(write_of(described, outcome("en", "one")).body)
    assert body["chapter"] == ["Why C++", "The sea", "End"]
    assert unpack(body["chapter_starts"]) == [0, 20, 600]
    assert body["stems"]["chapter"]["english"] == ["Why    ", "The sea", "End"]
    # The last time is beyond the end of a video of a minute, and two are too few.
    short = json.loads(write_of(replace(described, duration_seconds=60), outcome("en", "one")).body)
    assert not {"chapter", "chapter_starts"} & set(short)
    assert "chapter" not in short["stems"]


def test_the_version_is_the_time_of_the_newer_part_and_the_fingerprint_follows_the_digest() -> None:
    spoken = outcome("en", "one")
    write = write_of(METADATA, spoken)
    assert (write.video_id, write.version) == ("v1", int(ASKED.timestamp() * 1_000_000))
    assert json.loads(write.body)["fingerprint"] == mapping.fingerprint(digest(METADATA, spoken))
    assert mapping.fingerprint("a") != mapping.fingerprint("b")


def test_a_length_of_zero_is_unknown() -> None:
    live = replace(METADATA, duration_seconds=0)
    assert "duration_seconds" not in json.loads(write_of(live, outcome("en", "one")).body)
    assert body_of(outcome("en", "one"))["duration_seconds"] == 60
