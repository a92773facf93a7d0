"""One video's transcript through youtube-transcript-api: which track, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from xml.etree.ElementTree import ParseError

import requests
import youtube_transcript_api as api

from shared import clients, config
from shared.egress import AddressClosed, Session, player_key
from shared.errors import Blocked, DeliveryError, NoTranscript, Transient, VideoUnavailable
from shared.transcripts import Line, Lines, Transcript

#: What YouTube says about videos that cannot be played, and what follows
#: (the texts are those of playabilityStatus.reason, in English because we ask in English).
_BUSY = re.compile(r"try again later", re.IGNORECASE)
#: What a video of a blocked address waits for.
REFUSED = "YouTube refuses requests from this address."
_NOT_YET = re.compile(r"premiere|will begin|live event|upcoming|offline|processing", re.IGNORECASE)


class Track(Protocol):
    """What choosing needs to know of a caption track."""

    language_code: str
    is_generated: bool


T = TypeVar("T", bound=Track)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A transcript and the bytes it took, as they came over the wire."""

    transcript: Transcript
    youtube_bytes: int


class Refused(Exception):
    """No transcript, for the reason ``error``; the bytes spent to learn that."""

    def __init__(self, error: DeliveryError, youtube_bytes: int) -> None:
        super().__init__(str(error))
        self.error = error
        self.youtube_bytes = youtube_bytes


def choose(tracks: Iterable[T], preferred: Sequence[str]) -> T | None:
    """The track to take: preferred languages first, in that order, human before generated, else any there is.

    A preference for `pt` is also met by `pt-BR`, after an exact match.
    """

    def rank(track: T) -> tuple[int, int, bool]:
        code = track.language_code.casefold()
        for number, wanted in enumerate(code.casefold() for code in preferred):
            if code == wanted:
                return number, 0, track.is_generated
            if code.split("-")[0] == wanted.split("-")[0]:
                return number, 1, track.is_generated
        return len(preferred), 0, track.is_generated

    # min keeps the first of equals: YouTube's own order, the video's default first.
    return min(tracks, key=rank, default=None)


def fetch(video_id: str) -> Fetched:
    """Asks YouTube for a video's transcript: watch page (while no key is known), player, captions.

    Raises:
        Refused: with the NoTranscript, VideoUnavailable or Transient it means.
    """
    session = clients.youtube_session()
    session.begin()
    try:
        return Fetched(_ask(session, video_id), session.received)
    except Exception as error:
        last = error
    if session.shortened and _about_the_key(last):
        # The key that was remembered may be what is refused: once more, the stock way.
        player_key.refuse(session.shortened)
        try:
            return Fetched(_ask(session, video_id), session.received)
        except Exception as error:
            last = error
    _drop_frames(last)
    raise Refused(last if isinstance(last, DeliveryError) else meaning(last), session.received) from last


def _drop_frames(error: Exception) -> None:
    """Those it came through hold pages of a megabyte, and an exception is often part of a cycle."""
    last: BaseException | None = error
    while last is not None:
        last.__traceback__, last = None, last.__context__


def _about_the_key(error: Exception) -> bool:
    """Whether a key that is no longer good could have brought this about."""
    if isinstance(error, api.YouTubeRequestFailed):
        return _status(error) in ("400", "401", "403", "404")
    return isinstance(error, api.YouTubeDataUnparsable)


def _ask(session: Session, video_id: str) -> Transcript:
    tracks = api.YouTubeTranscriptApi(http_client=session).list(video_id)
    track = choose(tracks, config.load().transcript_languages)
    if track is None:
        raise NoTranscript("The video has no captions.")
    lines = _lines(track.fetch())
    if not lines:
        raise NoTranscript("The video's captions are empty.")
    return Transcript(track.language_code, track.language, track.is_generated, lines)


def _lines(snippets: Iterable[Any]) -> Lines:
    # Captions break lines for the screen; for reading and searching that is a space.
    rows = (Line(each.start, each.duration, " ".join(str(each.text).split())) for each in snippets)
    return Lines.of_rows(row for row in rows if row.text)


def meaning(error: Exception) -> DeliveryError:
    """What an exception of the library means for the video.

    Permanent for the video: unavailable, age restricted, not a video. Soft: captions disabled (they
    often appear later). Blocked: of our address. Everything else is of the moment or of the network. The
    order matters: some of the library's exceptions derive from others.
    """
    for kind, make in _MEANINGS:
        if isinstance(error, kind):
            return make(error)
    return Transient(f"YouTube's answer could not be understood ({type(error).__name__}).")


def _unplayable(error: Exception) -> DeliveryError:
    # The sentence that tells them apart may stand in either place.
    said = [getattr(error, "reason", None), *getattr(error, "sub_reasons", ())]
    reason = " ".join(str(part).strip() for part in said if part).rstrip(".") or "no reason given"
    if _BUSY.search(reason):
        return Blocked(f"YouTube cannot play it now: {reason}.", weak=True)
    if _NOT_YET.search(reason):
        return NoTranscript(f"YouTube cannot play it yet: {reason}.")
    return VideoUnavailable(f"YouTube does not play it: {reason}.")


_Meaning = tuple[tuple[type[Exception], ...], Callable[[Exception], DeliveryError]]
_MEANINGS: tuple[_Meaning, ...] = (
    ((api.AgeRestricted,), lambda _: VideoUnavailable("YouTube shows it to signed-in adults only.")),
    (
        (api.VideoUnavailable, api.InvalidVideoId),
        lambda _: VideoUnavailable("The video is no longer on YouTube."),
    ),
    ((api.VideoUnplayable,), _unplayable),
    ((api.TranscriptsDisabled, api.NoTranscriptFound), lambda _: NoTranscript("The video has no captions.")),
    ((api.IpBlocked, api.RequestBlocked), lambda _: Blocked(REFUSED)),
    ((AddressClosed,), lambda _: Blocked(REFUSED, asked=False)),
    ((api.PoTokenRequired,), lambda _: Transient("YouTube asks for a proof of origin for these captions.")),
    ((api.FailedToCreateConsentCookie,), lambda _: Transient("YouTube insists on its consent page.")),
    (
        (api.YouTubeRequestFailed,),
        lambda error: Transient(f"YouTube refused the request (HTTP {_status(error)})."),
    ),
    ((ParseError,), lambda _: Transient("YouTube sent empty or broken captions.")),
    ((requests.Timeout,), lambda _: Transient("YouTube did not answer in time.")),
    (
        (requests.RequestException,),
        lambda error: Transient(f"YouTube could not be asked ({type(error).__name__})."),
    ),
)


def _status(error: Exception) -> str:
    """The HTTP status behind the library's exception."""
    cause = error.__context__
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        return str(cause.response.status_code)
    return "error"
