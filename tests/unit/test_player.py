"""The player's answer is cut to what the library reads; what looks strange is left to the library."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.standin import generate
from infra.local.standin import player as youtube
from shared import player

VIDEO = generate.video_id("player", 1)
STATUS = {"status": "OK", "playableInEmbed": True}
CAPTIONS = {"playerCaptionsTracklistRenderer": {"captionTracks": [{"baseUrl": "https://…", "name": 'é\n"}'}]}}
READ = ("playabilityStatus", "captions")

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=8), st.sampled_from(READ)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.text(max_size=8), st.sampled_from(READ)), inner, max_size=3),
    ),
    max_leaves=12,
)


def test_an_answer_is_cut_to_a_fraction() -> None:
    answer = youtube.answer(VIDEO, generate.video(VIDEO), gzip=False).plain
    cut = player.shortened(answer)
    assert cut is not None
    assert json.loads(cut) == {name: json.loads(answer)[name] for name in READ}
    assert len(cut) < len(answer) / 10


@pytest.mark.parametrize("indent", [None, 2])
@given(members=st.dictionaries(st.text(max_size=8), VALUES, max_size=4), captions=st.booleans())
def test_what_the_library_reads_is_what_it_would_have_read(
    indent: int | None, members: dict[str, Any], captions: bool
) -> None:
    answer = {"a": members, "playabilityStatus": STATUS} | ({"captions": CAPTIONS} if captions else {})
    cut = player.shortened(json.dumps(answer | {"z": members}, indent=indent).encode())
    if cut is not None:
        assert json.loads(cut) == {name: answer[name] for name in READ}
    else:
        # Without captions; or names of ours stand elsewhere, and it is not told which is meant.
        assert not captions or any(f'"{name}":' in json.dumps(members) for name in READ)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"<html>",
        b'{"captions": {}}',
        b'{"playabilityStatus": "OK"}',
        b'{"playabilityStatus": {}}',
        b'{"playabilityStatus": {"status": "OK"}, "captions": []}',
        b'{"playabilityStatus": {"status": "OK"}, "captions": {"other": 1}}',
        b'{"playabilityStatus": {"status": "OK"}, "a": {"playabilityStatus": {"status": "OK"}}}',
        b'{"playabilityStatus": {"status": "OK"}, "captions": {"playerCaptionsTracklistRenderer": {"cap',
        b'{"playabilityStatus": {"status": "OK"}}',
        # Cut short before its captions: it would be remembered that there are none.
        b'{"playabilityStatus": {"status": "OK"}, "streamingData": {"formats": [{"itag": 18}',
        b'{"playabilityStatus": {"status": "OK"}, "x\\"captions": {"playerCaptionsTracklistRenderer": {}}}',
        b'{"playabilityStatus": {"status": "\xff"}}',
        b'{"playabilityStatus": ' + b"[" * 100_000,
    ],
)
def test_an_answer_that_looks_strange_is_left_to_the_library(answer: bytes) -> None:
    assert player.shortened(answer) is None
