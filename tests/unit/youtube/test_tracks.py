"""The caption tracks in the player's answer, and which is the best: in the language spoken, human first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.youtube.tracks import Choice, Track, Tracks, by_worth, plain_language, tracks_of


def track(text: str, number: int = 0) -> Track:
    """`pt-BR` is human, `pt-BR*` generated; `en!` has a name of its own."""
    code = text.rstrip("*!")
    return Track(code, text, "*" in text, rank=(1 + ("!" in text), number))


def chosen(
    tracks: str, preferred: str = "", audio: str | None = None, listed: str | None = None
) -> tuple[str | None, Choice]:
    found = Tracks([track(each, number) for number, each in enumerate(tracks.split())], audio)
    best, choice = by_worth(found, [each for each in preferred.split(",") if each], listed)
    return (best[0].language_name if best else None), choice


PREFERRED = [
    # tracks, preferred, chosen
    ("", "", None),
    ("", "en,de", None),
    ("de", "", "de"),
    ("fr de", "", "fr"),
    ("fr de en", "en", "en"),
    ("fr en* en", "en", "en"),
    ("fr en*", "en", "en*"),
    ("fr en* de", "de,en", "de"),
    ("fr en* de*", "en,de", "en*"),
    ("fr de", "en", "fr"),
    ("pt-BR es", "pt", "pt-BR"),
    ("pt-BR pt", "pt", "pt"),
    ("pt-BR pt*", "pt", "pt*"),
    ("pt-PT en", "pt-BR,en", "pt-PT"),
    ("pt-PT pt-BR", "pt-BR", "pt-BR"),
    ("en-GB en-US", "en", "en-GB"),
    ("zh-Hans zh-Hant", "zh-Hant", "zh-Hant"),
    ("EN-us fr", "en-US", "EN-us"),
    ("iw ja", "ja,iw", "ja"),
    ("ar no", "nb", "no"),
    ("zh-Hans zh-Hant", "zh-TW", "zh-Hant"),
    ("english en", "en", "en"),
]


@pytest.mark.parametrize(("tracks", "preferred", "best"), PREFERRED)
def test_a_preferred_language_comes_first(tracks: str, preferred: str, best: str | None) -> None:
    assert chosen(tracks, preferred)[0] == best


SPOKEN: list[tuple[str, str | None, str | None, str, Choice]] = [
    # tracks, language of the default audio track, defaultAudioLanguage, chosen, rule
    ("ar en en*", None, None, "en", "generated"),
    ("en ja*", None, None, "ja*", "generated"),
    ("ar de fr-FR fr*", None, None, "fr-FR", "generated"),
    ("af zh-Hant zh-Hans zh*", None, None, "zh-Hant", "generated"),
    ("de* fr", None, None, "de*", "generated"),
    ("de* fr", "fr", "fr", "de*", "generated"),
    ("ar* de* en*", "en", None, "en*", "audio_track"),
    ("ar* de* en* en", "en", "de", "en", "audio_track"),
    ("ar* de* en*", None, "de-DE", "de*", "audio_language"),
    ("ar* de en*", "ja", "de", "de", "audio_language"),
    ("ar de", None, "de", "de", "audio_language"),
    ("ar en-GB en-US", None, "en-US", "en-US", "audio_language"),
    ("ar he", None, "iw", "he", "audio_language"),
    ("ar de", "de", None, "de", "audio_track"),
    ("ar* de*", None, None, "ar*", "first"),
    ("de* fr* es", None, None, "es", "first"),
    ("ar de", None, "ja", "ar", "first"),
    ("ar de", None, "ja-ehkg1hFWq8A", "ar", "first"),
    # Several codes of one language.
    ("ar en* en-US*", None, None, "en*", "generated"),
    ("ar en-GB* en-US* en-GB", None, "ar", "en-GB", "generated"),
    ("de pt-BR* pt-PT*", None, None, "pt-BR*", "generated"),
    ("ar no", "nb", None, "no", "audio_track"),
    ("ar nb", None, "no", "nb", "audio_language"),
    ("ar fil", None, "tl", "fil", "audio_language"),
    ("ar in", None, "id-ID", "in", "audio_language"),
    ("zh-Hans zh-Hant", None, "zh-TW", "zh-Hant", "audio_language"),
    ("zh-Hant zh-Hans", "zh-CN", None, "zh-Hans", "audio_track"),
    ("zh-CN zh-HK", None, "zh-Hant", "zh-HK", "audio_language"),
]


@pytest.mark.parametrize(("tracks", "audio", "listed", "best", "choice"), SPOKEN)
def test_without_a_preference_the_language_that_is_spoken_is_taken(
    tracks: str, audio: str | None, listed: str | None, best: str, choice: Choice
) -> None:
    assert chosen(tracks, "", audio, listed) == (best, choice)
    assert chosen(tracks, "ko", audio, listed) == (best, choice)


def test_a_persons_wish_comes_before_the_language_that_is_spoken() -> None:
    assert chosen("ar en en*", "ar,en") == ("ar", "preferred")
    assert chosen("ar* de* en*", "de", "en", "en") == ("de*", "preferred")


@pytest.mark.parametrize(
    ("tracks", "best"),
    [("en en!", "en"), ("en! en", "en"), ("en! en!", "en!"), ("en! en en*", "en"), ("de! de fr", "de")],
)
def test_of_one_language_and_kind_the_track_without_a_name_is_taken(tracks: str, best: str) -> None:
    assert chosen(tracks)[0] == chosen(tracks, best[:2])[0] == best
    order = [each.rank for each in by_worth(tracks_named(tracks), [])[0]]
    assert order[0] == min(each.rank for each in tracks_named(tracks).tracks if each.language == best[:2])


def tracks_named(text: str) -> Tracks:
    return Tracks([track(each, number) for number, each in enumerate(text.split())])


def test_the_next_best_track_is_of_the_same_language() -> None:
    found, _ = by_worth(tracks_named("ar en en* de"), [])
    assert [each.language_name for each in found] == ["en", "en*", "ar", "de"]


CODES = st.sampled_from(
    ["en", "en-US", "en-GB", "de", "pt", "pt-BR", "zh-Hans", "zh-Hant", "und", "iw", "he"]
)


@given(
    st.lists(st.builds(Track, CODES | st.text(max_size=6), generated=st.booleans())),
    st.lists(CODES, max_size=4),
    CODES | st.none(),
    CODES | st.none(),
)
def test_all_tracks_come_human_first_and_always_in_the_same_order(
    tracks: list[Track], preferred: Sequence[str], audio: str | None, listed: str | None
) -> None:
    found, _ = by_worth(Tracks(tracks, audio), preferred, listed)
    assert sorted(map(repr, found)) == sorted(map(repr, tracks))
    if found:
        same = [each for each in tracks if each.language == found[0].language]
        assert found[0].generated == all(each.generated for each in same)
    assert by_worth(Tracks(list(tracks), audio), preferred, listed)[0] == found


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("en", "en"),
        ("en-ehkg1hFWq8A", "en"),
        ("en-US-ehkg1hFWq8A", "en-US"),
        ("zh-Hant-J1_aB-cDe45", "zh-Hant"),
        ("pt-BR--bcdefghijk", "pt-BR"),
        ("de-DE-12345678901", "de-DE"),
        ("fil-abcdefghij_", "fil"),
        ("es-419", "es-419"),
        ("es-419-aaaaaaaaaaa", "es-419"),
        ("zh-Hans-CN", "zh-Hans-CN"),
        ("sr-Latn", "sr-Latn"),
        ("ca-valencia", "ca-valencia"),
        ("mni-Mtei", "mni-Mtei"),
        ("en-x_y", "en"),
        ("english", "english"),
        ("EN-us", "EN-us"),
        ("en_US", "en-US"),
        ("zh_Hant_TW", "zh-Hant-TW"),
    ],
)
def test_the_random_suffix_of_a_language_is_dropped(code: str, language: str) -> None:
    assert plain_language(code) == language


# -- the player's answer -----------------------------------------------------------------------------


def listed(code: str, name: str = "", *, query: str = "", **more: Any) -> dict[str, Any]:
    url = f"https://www.youtube.com/api/timedtext?v=x&lang={code}{query}&fmt=srv3"
    return {"baseUrl": url, "languageCode": code, "name": {"runs": [{"text": name or code}]}, **more}


def answer(*tracks: Any, **more: Any) -> dict[str, Any]:
    return {"captions": {"playerCaptionsTracklistRenderer": {"captionTracks": list(tracks), **more}}}


def test_tracks_are_read() -> None:
    found = tracks_of(
        answer(
            listed("en-ehkg1hFWq8A", "English - Commentary"),
            listed("en", "English"),
            listed("en", query="&name=Director"),
            listed("de", "German (auto-generated)", kind="asr"),
            {"baseUrl": "https://x/?lang=fr", "languageCode": "fr", "name": {"simpleText": "French"}},
        )
    )
    assert [(each.language, each.language_name, each.generated, each.rank) for each in found.tracks] == [
        ("en", "English - Commentary", False, (2, 0)),
        ("en", "English", False, (1, 1)),
        ("en", "en", False, (2, 2)),
        ("de", "German (auto-generated)", True, (1, 3)),
        ("fr", "French", False, (1, 4)),
    ]
    assert not any("srv3" in each.url for each in found.tracks)
    assert by_worth(found, ["en"])[0][0].language_name == "English"


AUDIO: list[tuple[list[Any], Any, str | None]] = [
    ([{"captionTrackIndices": [0, 1, 2], "defaultCaptionTrackIndex": 2}], 0, "en"),
    ([{"defaultCaptionTrackIndex": 0}, {"defaultCaptionTrackIndex": 1}], 1, "de"),
    ([{"captionTrackIndices": [1]}, {"captionTrackIndices": [2]}], 0, "de"),
    ([{"captionTrackIndices": [0, 1, 2], "audioTrackId": "en.4"}], 0, "en"),
    ([{"captionTrackIndices": [0, 1, 2]}], 0, None),
    ([{"defaultCaptionTrackIndex": 7}], 0, None),
    ([{"defaultCaptionTrackIndex": "1", "captionTrackIndices": 3, "audioTrackId": 4}], None, None),
    ([], 0, None),
    ([None], 0, None),
    ([{"defaultCaptionTrackIndex": 1}], 5, None),
    ([{"defaultCaptionTrackIndex": 1}], None, "de"),
]


@pytest.mark.parametrize(("places", "language"), [([1], "de"), ([0, 1], None), ([], None)])
def test_an_audio_track_with_human_captions_of_its_own_tells_the_language(
    places: list[int], language: str | None
) -> None:
    audio = [{"captionTrackIndices": places}]
    assert tracks_of(answer(listed("ar"), listed("de"), audioTracks=audio)).audio_language == language
    alone = tracks_of(answer(listed("de"), audioTracks=[{"captionTrackIndices": [0]}]))
    assert alone.audio_language is None


@pytest.mark.parametrize(("audio", "default", "language"), AUDIO)
def test_the_default_audio_track_tells_the_language(audio: Any, default: Any, language: str | None) -> None:
    generated = [listed(code, kind="asr") for code in ("ar", "de", "en")]
    found = tracks_of(answer(*generated, audioTracks=audio, defaultAudioTrackIndex=default))
    assert found.audio_language == language


@pytest.mark.parametrize(
    ("listed_language", "best"), [("en", "en"), ("de-DE", "de"), (None, "ar"), ("fr", "ar")]
)
def test_of_several_audio_tracks_without_a_default_one_the_uploaders_word_decides(
    listed_language: str | None, best: str
) -> None:
    generated = [listed(code, kind="asr") for code in ("ar", "de", "en")]
    audio = [
        {"captionTrackIndices": [number], "audioTrackId": f"{code}.3"}
        for number, code in enumerate(["ar", "de", "en"])
    ]
    found = tracks_of(answer(*generated, audioTracks=audio))
    assert by_worth(found, [], listed_language)[0][0].language == best
    # A default one decides before that.
    found = tracks_of(answer(*generated, audioTracks=audio, defaultAudioTrackIndex=1))
    assert by_worth(found, [], listed_language)[0][0].language == "de"


@pytest.mark.parametrize("code", ["en-ehkg1hFWq8A", "en-nP7-2PuUl7o", "en"])
def test_a_track_without_a_name_is_called_by_its_plain_language(code: str) -> None:
    (found,) = tracks_of(answer({**listed(code), "name": None, "vssId": "a.en"})).tracks
    assert (found.language_name, found.generated) == ("en", True)


def test_the_default_track_comes_before_one_without_a_name() -> None:
    tracks = [listed("en", "English"), listed("en", "English - SDH")]
    found = tracks_of(answer(*tracks, audioTracks=[{"defaultCaptionTrackIndex": 1}]))
    assert by_worth(found, ["en"])[0][0].language_name == "English - SDH"


@pytest.mark.parametrize("found", [None, [], {}, {"captions": None}, {"captions": {}}, answer()])
def test_an_answer_without_tracks_has_none(found: Any) -> None:
    assert not tracks_of(found).tracks


@pytest.mark.parametrize(
    "found",
    [
        {"captions": 1},
        {"captions": {"newRenderer": {"tracks": [1]}}},
        {"captions": {"playerCaptionsTracklistRenderer": [listed("en")]}},
        {"captions": {"playerCaptionsTracklistRenderer": {"captionTracks": {"0": listed("en")}}}},
        {"captions": {"playerCaptionsTracklistRenderer": {"captionTracks": "en"}}},
    ],
)
def test_captions_that_cannot_be_read_are_not_taken_for_none(found: Any) -> None:
    with pytest.raises(ValueError, match="expected a list"):
        tracks_of(found)


def test_tracks_that_cannot_be_read_are_left_out() -> None:
    assert len(tracks_of(answer(None, {}, {"baseUrl": 1, "languageCode": "en"}, listed("en"))).tracks) == 1
    with pytest.raises(ValueError, match="none"):
        tracks_of(answer(None, {"baseUrl": "https://x"}))
