"""Messages: an encoded message is decoded again, and any other bytes raise Malformed and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.messages import Message, PassagesMessage, PlaylistMessage, VideoMessage, is_id

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True).filter(is_id)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(
    st.sampled_from(["playlist_id", "job_id", "user_id", "video_id", "round", "anyway", "other"]), IDS | JSON
)
KINDS: list[type[Message]] = [PlaylistMessage, VideoMessage, PassagesMessage]


@given(IDS, st.none() | IDS, st.none() | IDS)
def test_a_playlist_message_comes_back(playlist_id: str, job_id: str | None, user_id: str | None) -> None:
    message = PlaylistMessage(playlist_id, job_id, user_id)
    assert PlaylistMessage.decode(message.encode()) == message


@given(IDS, IDS, st.integers(0, 10_000))
def test_a_video_message_comes_back(job_id: str, video_id: str, number: int) -> None:
    message = VideoMessage(job_id, video_id, number)
    assert VideoMessage.decode(message.encode()) == message


@given(IDS, st.booleans())
def test_a_passages_message_comes_back(video_id: str, anyway: bool) -> None:
    message = PassagesMessage(video_id, anyway)
    assert PassagesMessage.decode(message.encode()) == message


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_decode_or_are_malformed(kind: type[Message], data: bytes) -> None:
    _decode(kind, data)


@pytest.mark.parametrize("kind", KINDS)
@given(fields=FIELDS)
def test_any_fields_decode_or_are_malformed(kind: type[Message], fields: dict[str, Any]) -> None:
    _decode(kind, json.dumps(fields).encode())


def _decode(kind: type[Message], data: bytes) -> None:
    try:
        message = kind.decode(data)
    except Malformed as error:
        reason = str(error)
    else:
        assert kind.decode(message.encode()) == message
        return
    assert "expected" in reason
    assert "found" in reason
    assert len(reason.encode()) < 2000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"NaN",
        b"{",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        # More digits than Python turns into a number: a plain ValueError.
        b'{"job_id":"a","video_id":"b","anyway":7,"round":' + b"9" * 5000 + b"}",
    ],
    ids=lambda data: repr(data[:20]),
)
@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_are_no_object_are_malformed(kind: type[Message], data: bytes) -> None:
    with pytest.raises(Malformed):
        kind.decode(data)


@pytest.mark.parametrize(
    "value",
    [None, "", 7, True, [], {}, "a/b", "a b", "é", "..", ".", "a" * 129, "__all__", "____", "a\n", "\ud800"],
)
@pytest.mark.parametrize("name", ["job_id", "video_id"])
def test_an_id_must_be_a_valid_document_name(name: str, value: object) -> None:
    fields = {"job_id": "a", "video_id": "b", name: value}
    with pytest.raises(Malformed, match=f'"{name}"'):
        VideoMessage.decode(json.dumps(fields).encode())


@pytest.mark.parametrize("video_id", ["__a", "a__", "_", "___", "-" * 11, "dQw4w9WgXcQ", "__9bZkp7q1_"])
def test_video_ids_of_youtube_are_ids(video_id: str) -> None:
    assert VideoMessage.decode(VideoMessage("a", video_id).encode()).video_id == video_id


@pytest.mark.parametrize("number", [-1, 1.5, "1", True, [], {}])
def test_a_round_is_a_whole_number(number: object) -> None:
    with pytest.raises(Malformed, match='"round"'):
        VideoMessage.decode(json.dumps({"job_id": "a", "video_id": "b", "round": number}).encode())


def test_unknown_fields_are_ignored_and_missing_ones_have_defaults() -> None:
    assert VideoMessage.decode(b'{"job_id":"a","video_id":"b","since":7}') == VideoMessage("a", "b", 0)
    assert PlaylistMessage.decode(b'{"playlist_id":"PLx","job_id":null}') == PlaylistMessage("PLx")
    assert json.loads(PlaylistMessage("PLx").encode()) == {"playlist_id": "PLx"}
