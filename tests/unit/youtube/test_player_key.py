"""The player key: learned from pages, shared between processes, and given up when YouTube refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.youtube.player_key import PlayerKey, page_with

YOUTUBE = "https://www.youtube.com"


@pytest.fixture
def key() -> PlayerKey:
    return PlayerKey(YOUTUBE)


def page(value: str) -> bytes:
    return f'<script>ytcfg.set({{"INNERTUBE_API_KEY": "{value}", "x": 1}})</script>'.encode()


def stored(value: str, of: str = YOUTUBE) -> dict[str, str]:
    """The key as the document of an address has it."""
    return {"value": value, "of": of}


def test_a_key_is_learned_from_a_page(key: PlayerKey) -> None:
    key.learn(page("AIza-k_1"))
    assert key.value == "AIza-k_1"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b'"INNERTUBE_API_KEY": ""',
        b'"INNERTUBE_API_KEY": "a<b>"',
        b'action="https://consent.youtube.com/s" "INNERTUBE_API_KEY": "AIzaConsent"',
    ],
)
def test_other_pages_teach_no_key(content: bytes, key: PlayerKey) -> None:
    key.learn(content)
    assert key.value is None


def test_a_refused_key_is_not_adopted_again(key: PlayerKey) -> None:
    key.adopt(stored("AIza-old"))
    assert key.value == "AIza-old"
    key.adopt(stored("AIza-other"))
    assert key.value == "AIza-old"
    key.refuse("AIza-old")
    key.adopt(stored("AIza-old"))
    assert key.value is None
    key.adopt(stored("AIza-new"))
    assert key.value == "AIza-new"


def test_a_thread_that_used_an_older_key_does_not_give_up_the_newer_one(key: PlayerKey) -> None:
    key.learn(page("AIza-old"))
    key.learn(page("AIza-new"))
    key.refuse("AIza-old")
    assert key.value == "AIza-new"


@pytest.mark.parametrize(
    "nothing", [None, "AIza-of-an-older-version", stored("AIza", "http://another-youtube")]
)
def test_the_key_of_another_youtube_is_not_adopted(nothing: Any, key: PlayerKey) -> None:
    key.adopt(nothing)
    assert key.value is None


def test_a_learned_key_is_shared_once(key: PlayerKey) -> None:
    key.learn(page("AIza-1"))
    assert key.to_share() == stored("AIza-1")
    key.shared(key.to_share())
    assert (key.value, key.to_share()) == ("AIza-1", None)


def test_a_key_learned_while_an_older_one_is_shared_is_shared_next(key: PlayerKey) -> None:
    key.learn(page("AIza-1"))
    sharing = key.to_share()
    key.learn(page("AIza-2"))
    key.shared(sharing)
    assert key.to_share() == stored("AIza-2")


def test_adopted_and_refused_keys_are_not_shared(key: PlayerKey) -> None:
    key.adopt(stored("AIza-1"))
    assert key.to_share() is None
    key.learn(page("AIza-2"))
    key.refuse("AIza-2")
    assert key.to_share() is None


def test_a_page_with_the_key_teaches_it(key: PlayerKey) -> None:
    made = page_with("AIza-1", f"{YOUTUBE}/watch?v=x")
    assert (made.status_code, made.url) == (200, f"{YOUTUBE}/watch?v=x")
    key.learn(made.content)
    assert key.value == "AIza-1"
