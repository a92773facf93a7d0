"""The caption tracks of a video, as its player lists them, and which of them is the best."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from shared.youtube.player_answer import member, objects, text_of

#: The rule that chose the language of a track: a preferred language; the language of the only generated
#: track, which is the one spoken; that of the default audio track; that of videos.list; none of these.
Choice = Literal["preferred", "generated", "audio_track", "audio_language", "first"]
#: A language with a script and a region, as YouTube writes nearly all of them.
_USUAL = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?", re.IGNORECASE)
#: Any tag of BCP 47 without extensions.
_TAG = re.compile(
    r"[a-z]{2,8}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*(-x(-[a-z0-9]{1,8})+)?",
    re.IGNORECASE,
)
#: What YouTube adds to the language of some tracks. It has the form of a video's id.
_SUFFIX = re.compile(r"-[A-Za-z0-9_-]{11}$")


@dataclass(frozen=True, slots=True)
class Track:
    """A caption track. ``language``: see :func:`plain_language`. ``generated``: by speech recognition.

    ``rank``: of tracks of one language and kind, the lowest is the best: the default one, then one without a
    name of its own, then any, in YouTube's order.
    """

    language: str
    language_name: str = ""
    generated: bool = False
    url: str = ""
    rank: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Tracks:
    """The tracks in YouTube's order. ``audio_language``: of the default audio track, if that is known.

    ``first_audio_language``: of the first audio track, if nobody says which is the default one.
    """

    tracks: Sequence[Track] = ()
    audio_language: str | None = None
    first_audio_language: str | None = None


def plain_language(code: str) -> str:
    """A language code without the random suffix that YouTube adds to some: `en` for `en-ehkg1hFWq8A`."""
    if "-" not in code:
        code = code.replace("_", "-")
    if _USUAL.fullmatch(code):
        return code
    without = _SUFFIX.sub("", code)
    while not _TAG.fullmatch(without) and "-" in without:
        without = without.rpartition("-")[0]
    return without


def tracks_of(answer: Any) -> Tracks:
    """Reads the player's answer.

    Raises:
        ValueError: there are captions, but they cannot be read.
    """
    captions, said = member(answer, "captions", "playerCaptionsTracklistRenderer"), member(answer, "captions")
    listed = member(captions, "captionTracks")
    if (said and not isinstance(captions, dict)) or not isinstance(listed, list | None):
        raise ValueError("expected a list of caption tracks, found something else")
    listed = objects(listed)
    audio, is_default = _audio_track(captions)
    default = audio.get("defaultCaptionTrackIndex")
    found = {
        number: track
        for number, each in enumerate(listed)
        if (track := _track(each, number, is_default=number == default)) is not None
    }
    if listed and not found:
        raise ValueError("expected caption tracks with an address and a language, found none")
    language = _audio_language(audio, found)
    return Tracks(list(found.values()), *((language, None) if is_default else (None, language)))


def _audio_track(captions: Any) -> tuple[dict[str, Any], bool]:
    """The default audio track, else the first one; and whether it is surely the default one."""
    audio_tracks = objects(member(captions, "audioTracks"))
    number = member(captions, "defaultAudioTrackIndex")
    if number is None:
        return (audio_tracks[0] if audio_tracks else {}), len(audio_tracks) == 1
    is_there = isinstance(number, int) and 0 <= number < len(audio_tracks)
    return (audio_tracks[number] if is_there else {}), True


def _audio_language(audio: dict[str, Any], tracks: dict[int, Track]) -> str | None:
    """The language of an audio track: that of its default captions, else of its generated ones."""
    default = audio.get("defaultCaptionTrackIndex")
    if isinstance(default, int) and default in tracks:
        return tracks[default].language
    places = audio.get("captionTrackIndices")
    own = [track for number, track in tracks.items() if isinstance(places, list) and number in places]
    generated = [track.language for track in own if track.generated]
    if len(set(map(_primary, generated))) == 1:
        return generated[0]
    # Such as "en.4".
    identifier = audio.get("audioTrackId")
    code = identifier.partition(".")[0] if isinstance(identifier, str) else ""
    if code:
        return plain_language(code)
    languages = {track.language for track in own}
    # An audio track that has all captions says nothing.
    return languages.pop() if len(languages) == 1 and len(own) < len(tracks) else None


def _track(found: dict[str, Any], number: int, *, is_default: bool) -> Track | None:
    url, code = found.get("baseUrl"), found.get("languageCode")
    if not isinstance(url, str) or not isinstance(code, str) or not code:
        return None
    name = text_of(found.get("name")) or plain_language(code)
    named = bool(found.get("trackName")) or " - " in name or "name" in parse_qs(urlsplit(url).query)
    return Track(
        language=plain_language(code),
        language_name=name,
        generated=found.get("kind") == "asr" or str(found.get("vssId")).startswith("a."),
        # As the library does it: the answer is the older, simpler XML.
        url=url.replace("&fmt=srv3", ""),
        rank=(0 if is_default else 1 + named, number),
    )


def by_worth(
    tracks: Tracks, preferred: Sequence[str], listed_language: str | None = None
) -> tuple[list[Track], Choice]:
    """All tracks, the best first, and the rule that chose the best one's language.

    Of the first preferred language that there is, else of the language that is spoken, else of any. Human
    before generated. A preference for `pt` is also met by `pt-BR`, but an exact match comes first.

    ``listed_language``: ``defaultAudioLanguage`` of videos.list.
    """
    spoken, choice = _spoken(tracks, listed_language)
    wanted = [code.casefold() for code in preferred]
    #: Where a language and kind comes first: its tracks stay together.
    first: dict[tuple[str, bool], int] = {}
    for place, track in enumerate(tracks.tracks):
        first.setdefault((track.language, track.generated), place)

    def worth(track: Track) -> tuple[int, bool, bool, int, tuple[int, int]]:
        code, alike = track.language.casefold(), first[track.language, track.generated]
        for place, language in enumerate(wanted):
            if _primary(code) == _primary(language):
                exact = _written(code) == _written(language)
                return place, not exact, track.generated, alike, track.rank
        if spoken is not None and _primary(code) == _primary(spoken):
            # Here a person's text comes before an exact match: nobody asked for this very code.
            return len(wanted), track.generated, _written(code) != _written(spoken), alike, track.rank
        return len(wanted) + 1, track.generated, False, alike, track.rank

    found = sorted(tracks.tracks, key=worth)
    if found and worth(found[0])[0] < len(wanted):
        choice = "preferred"
    return found, choice


def _spoken(tracks: Tracks, listed_language: str | None) -> tuple[str | None, Choice]:
    """The language that is spoken in the video, of those that have a track; in lower case."""
    there = {_primary(track.language) for track in tracks.tracks}
    for language, choice in _candidates(tracks, listed_language):
        if _primary(language) in there:
            return language.casefold(), choice
    return None, "first"


def _candidates(tracks: Tracks, listed_language: str | None) -> Iterator[tuple[str, Choice]]:
    generated = [track.language for track in tracks.tracks if track.generated]
    if len(set(map(_primary, generated))) == 1:
        yield generated[0], "generated"
    if tracks.audio_language:
        yield tracks.audio_language, "audio_track"
    if listed_language:
        yield plain_language(listed_language), "audio_language"
    if tracks.first_audio_language:
        yield tracks.first_audio_language, "audio_track"


#: Codes of one language: how YouTube writes it in some places, and how in others.
_SAME = {"iw": "he", "in": "id", "ji": "yi", "nb": "no", "tl": "fil", "cmn": "zh"}
#: The script in which Chinese is written in a region.
_SCRIPTS = {"tw": "hant", "hk": "hant", "mo": "hant", "cn": "hans", "sg": "hans", "my": "hans"}


def same_language(one: str, other: str) -> bool:
    """Whether two codes are of one language, wherever it is spoken and however it is written."""
    return _primary(one) == _primary(other)


def _primary(code: str) -> str:
    first = code.casefold().partition("-")[0]
    return _SAME.get(first, first)


def _written(code: str) -> str:
    """A code for comparing: `zh-Hant` and `zh-TW` are the same, and so are `nb-NO` and `no-NO`."""
    primary, rest = _primary(code), code.casefold().split("-")[1:]
    if primary == "zh":
        rest = [each for each in rest if each in ("hans", "hant")] or [
            _SCRIPTS.get(each, each) for each in rest
        ]
    return "-".join([primary, *rest])
