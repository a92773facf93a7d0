"""A video's transcript through youtube-transcript-api: the choice of the track, and the errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar
from xml.etree.ElementTree import ParseError

import requests
import youtube_transcript_api as api

from shared.config import Config
from shared.errors import AttemptFailed, Refused, YouTubeError
from shared.transcripts.transcript import Answer, Transcript
from shared.youtube import timedtext
from shared.youtube.egress.breaker import ADDRESS_BLOCKED, RouteClosed
from shared.youtube.session import Session

#: Signs in playabilityStatus.reason, which is English because the library asks in English. The first is also
#: said of an address that asks too much.
_TOO_BUSY = re.compile(r"try again later", re.IGNORECASE)
_NOT_YET = re.compile(r"premiere|will begin|live event|upcoming|offline|processing", re.IGNORECASE)
#: In the address of a track that YouTube sends only with a proof of origin.
_PROOF_NEEDED = "&exp=xpe"


class Track(Protocol):
    """The properties of a caption track that decide which one is chosen."""

    language_code: str
    is_generated: bool


T = TypeVar("T", bound=Track)


def choose(tracks: Iterable[T], preferred: Sequence[str]) -> T | None:
    """The best track: of the first preferred language that there is, else of any. Human before generated.

    A preference for `pt` is also met by `pt-BR`, but an exact match comes first.
    """

    def rank(track: T) -> tuple[int, int, bool]:
        code = track.language_code.casefold()
        for number, wanted in enumerate(code.casefold() for code in preferred):
            if code == wanted:
                return number, 0, track.is_generated
            if code.split("-")[0] == wanted.split("-")[0]:
                return number, 1, track.is_generated
        return len(preferred), 0, track.is_generated

    # Of equal tracks, min takes the first in YouTube's order.
    return min(tracks, key=rank, default=None)


class Captions:
    """Fetches transcripts."""

    def __init__(self, config: Config) -> None:
        self._preferred = config.transcript_languages

    def fetch(self, video_id: str, session: Session) -> Answer:
        """YouTube's final answer about a video. Requests the watch page (without a key), player and captions.

        Raises:
            Refused: YouTube refused the request, because of the address or the video.
            AttemptFailed: something that may pass went wrong.
            RouteClosed: a request was not sent, because the breaker has opened meanwhile.
        """
        try:
            return self._fetch(video_id, session)
        except RouteClosed:
            raise
        except Exception as error:
            last = error
        if _may_concern_key(last) and session.give_up_key():
            # Once more without the known key, as the library does it.
            try:
                return self._fetch(video_id, session)
            except RouteClosed:
                raise
            except Exception as error:
                last = error
        _drop_frames(last)
        meaning = _meaning_of(last)
        if isinstance(meaning, Answer):
            return meaning
        raise meaning from last

    def _fetch(self, video_id: str, session: Session) -> Answer:
        tracks = api.YouTubeTranscriptApi(http_client=session).list(video_id)
        track = choose(tracks, self._preferred)
        if track is None:
            return _NO_CAPTIONS
        lines = timedtext.parse(_download(track, session))
        if not lines:
            return Answer("no_transcript", reason="The video's captions are empty.")
        return Answer(
            "transcript", Transcript(track.language_code, track.language, track.is_generated, lines)
        )


def _download(track: api.Transcript, session: Session) -> bytes:
    """As ``track.fetch()`` of the library, which also parses, but slowly (see timedtext)."""
    url: str = track._url
    if _PROOF_NEEDED in url:
        raise api.PoTokenRequired(track.video_id)
    response = session.get(url)
    if response.status_code == requests.codes.too_many_requests:
        raise api.IpBlocked(track.video_id)
    try:
        response.raise_for_status()
    except requests.HTTPError as error:
        raise api.YouTubeRequestFailed(track.video_id, error) from error
    return response.content


def _drop_frames(error: Exception) -> None:
    """Drops tracebacks. Their frames hold pages of a megabyte, and exceptions are often part of a cycle."""
    last: BaseException | None = error
    while last is not None:
        last.__traceback__, last = None, last.__context__


def _may_concern_key(error: Exception) -> bool:
    """Whether an outdated player key may be the cause."""
    if isinstance(error, api.YouTubeRequestFailed):
        return _status(error) in ("400", "401", "403", "404")
    return isinstance(error, api.YouTubeDataUnparsable)


_NO_CAPTIONS = Answer("no_transcript", reason="The video has no captions.")
_Meaning = Answer | YouTubeError


def _meaning_of(error: Exception) -> _Meaning:
    """Translates an exception of the library: into a final answer about the video, or a failed attempt."""
    for kinds, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return meaning(error)
    return AttemptFailed("YouTube sent an answer that cannot be read.", detail=repr(error)[:300])


def _unplayable(error: Exception) -> _Meaning:
    # YouTube writes the sentence that matters into either place.
    said = [getattr(error, "reason", None), *getattr(error, "sub_reasons", ())]
    reason = " ".join(str(part).strip() for part in said if part).rstrip(".") or "no reason given"
    if _TOO_BUSY.search(reason):
        return Refused(f"YouTube cannot play the video now: {reason}.", weak=True)
    if _NOT_YET.search(reason):
        return Answer("no_transcript", reason=f"YouTube cannot play the video yet: {reason}.")
    return Answer("unavailable", reason=f"YouTube does not play the video: {reason}.")


#: The first that matches counts: some of the library's exceptions derive from others.
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Callable[[Exception], _Meaning]], ...] = (
    (
        (api.AgeRestricted,),
        lambda _: Answer("unavailable", reason="YouTube shows the video to signed-in adults only."),
    ),
    (
        (api.VideoUnavailable, api.InvalidVideoId),
        lambda _: Answer("unavailable", reason="The video is no longer on YouTube."),
    ),
    ((api.VideoUnplayable,), _unplayable),
    # Captions often appear later, so "disabled" is not final either: it is rechecked.
    ((api.TranscriptsDisabled, api.NoTranscriptFound), lambda _: _NO_CAPTIONS),
    ((api.IpBlocked, api.RequestBlocked), lambda _: Refused(ADDRESS_BLOCKED)),
    (
        (api.PoTokenRequired,),
        lambda _: AttemptFailed("YouTube asks for a proof of origin for these captions."),
    ),
    ((api.FailedToCreateConsentCookie,), lambda _: AttemptFailed("YouTube insists on its consent page.")),
    (
        (api.YouTubeRequestFailed,),
        lambda error: AttemptFailed(f"YouTube refused the request (HTTP {_status(error)})."),
    ),
    ((ParseError,), lambda _: AttemptFailed("YouTube sent empty or broken captions.")),
    ((requests.Timeout,), lambda _: AttemptFailed("YouTube did not answer in time.")),
    (
        (requests.RequestException,),
        lambda error: AttemptFailed("YouTube could not be asked.", detail=repr(error)[:300]),
    ),
)


def _status(error: Exception) -> str:
    """The HTTP status behind an exception of the library."""
    cause = error.__context__
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        return str(cause.response.status_code)
    return "error"
