"""The choice of a caption track: preferred languages first, human before generated, else any track."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.youtube.captions import choose


@dataclass(slots=True)
class Track:
    language_code: str
    is_generated: bool = False


def track(text: str) -> Track:
    """`pt-BR` is human, `pt-BR*` generated."""
    return Track(text.rstrip("*"), text.endswith("*"))


CHOICES = [
    # tracks, preferred, chosen
    ("", "", None),
    ("", "en,de", None),
    ("de", "", "de"),
    ("de* fr", "", "fr"),
    ("de* fr*", "", "de*"),
    ("fr de", "", "fr"),
    ("fr de en", "en", "en"),
    ("fr en* en", "en", "en"),
    ("fr en*", "en", "en*"),
    ("fr en* de", "de,en", "de"),
    ("fr en* de*", "en,de", "en*"),
    ("fr de", "en", "fr"),
    ("fr* de", "en", "de"),
    ("pt-BR es", "pt", "pt-BR"),
    ("pt-BR pt", "pt", "pt"),
    ("pt-BR pt*", "pt", "pt*"),
    ("pt-PT en", "pt-BR,en", "pt-PT"),
    ("pt-PT pt-BR", "pt-BR", "pt-BR"),
    ("en-GB en-US", "en", "en-GB"),
    ("zh-Hans zh-Hant", "zh-Hant", "zh-Hant"),
    ("EN-us fr", "en-US", "EN-us"),
    ("iw ja", "ja,iw", "ja"),
    ("english en", "en", "en"),
]


@pytest.mark.parametrize(("tracks", "preferred", "chosen"), CHOICES)
def test_the_best_track_is_chosen(tracks: str, preferred: str, chosen: str | None) -> None:
    found = choose([track(each) for each in tracks.split()], [each for each in preferred.split(",") if each])
    assert found == (track(chosen) if chosen else None)


CODES = st.sampled_from(["en", "en-US", "en-GB", "de", "pt", "pt-BR", "zh-Hans", "zh-Hant", "und", ""])


@given(st.lists(st.builds(Track, CODES | st.text(max_size=6), st.booleans())), st.lists(CODES, max_size=4))
def test_any_tracks_and_any_preferences_have_a_best_track(
    tracks: list[Track], preferred: Sequence[str]
) -> None:
    chosen = choose(tracks, preferred)
    if not tracks:
        assert chosen is None
        return
    assert chosen in tracks
    assert chosen is not None

    def first(wanted: Callable[[str], bool]) -> int:
        """The place of the first preference for which ``wanted`` is true."""
        return next((place for place, code in enumerate(preferred) if wanted(code)), len(preferred))

    def place(each: Track) -> int:
        """The place of the first preference whose language the track has."""
        base = each.language_code.casefold().split("-")[0]
        return first(lambda code: code.casefold().split("-")[0] == base)

    assert place(chosen) == min(map(place, tracks))
    same = [each for each in tracks if each.language_code == chosen.language_code]
    if any(not each.is_generated for each in same):
        assert not chosen.is_generated
    assert choose(list(tracks), list(preferred)) == chosen
