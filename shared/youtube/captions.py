"""A video's transcript through youtube-transcript-api: the requests, and what their errors mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from xml.etree.ElementTree import ParseError

import requests
import youtube_transcript_api as api

from shared.config import Config
from shared.errors import AttemptFailed, NotReached, Refused, YouTubeError
from shared.transcripts.transcript import Answer, Transcript
from shared.transcripts.videos import Metadata
from shared.youtube import timedtext
from shared.youtube.egress.breaker import ADDRESS_BLOCKED, RouteClosed
from shared.youtube.playability import Refusal, is_live, refusal_of
from shared.youtube.player_answer import member
from shared.youtube.session import Session
from shared.youtube.tracks import Choice, Track, by_worth, tracks_of

#: In the address of a track that YouTube sends only with a proof of origin.
_PROOF_NEEDED = "&exp=xpe"
#: Tracks of one video that are asked for in one attempt.
_TRACKS = 3


class Captions:
    """Fetches transcripts."""

    def __init__(self, config: Config) -> None:
        self._preferred = config.transcript_languages

    def fetch(self, video_id: str, session: Session, about: Metadata | None = None) -> Answer:
        """YouTube's final answer about a video. Requests the watch page (without a key), player and captions.

        ``about``: what is known of the video. It decides how far the player's words are believed.

        Raises:
            Refused: YouTube refused the request, because of the address or the video.
            NotReached: no connection came about.
            AttemptFailed: something else that may pass went wrong.
            RouteClosed: a request was not sent, because the breaker has opened meanwhile.
        """
        try:
            return self._fetch(video_id, session, about)
        except (RouteClosed, YouTubeError):
            raise
        except Exception as error:
            last = error
        if _may_concern_key(last) and session.give_up_key():
            # Once more without the known key, as the library does it.
            try:
                return self._fetch(video_id, session, about)
            except (RouteClosed, YouTubeError):
                raise
            except Exception as error:
                last = error
        _drop_frames(last)
        raise _meaning_of(last) from last

    def _fetch(self, video_id: str, session: Session, about: Metadata | None) -> Answer:
        answer = _ask_player(video_id, session)
        playability = member(answer, "playabilityStatus")
        listed, audio_language = (about.listed, about.audio_language) if about else (False, None)
        refusal = refusal_of(playability, listed=listed)
        if refusal is not None:
            return _verdict(refusal)
        tracks, choice = by_worth(tracks_of(answer), self._preferred, audio_language)
        if not tracks:
            return _LIVE if is_live(playability) else _NO_CAPTIONS
        return _first_with_words(video_id, tracks, choice, session)


def _ask_player(video_id: str, session: Session) -> Any:
    """The player's answer, which says whether the video plays. Raises what the library raises without one.

    What the library reads in the answer is not used: it matches YouTube's words exactly, and of two tracks of
    one language it keeps the last.
    """
    failed: Exception | None = None
    try:
        api.YouTubeTranscriptApi(http_client=session).list(video_id)
    except RouteClosed:
        raise
    except Exception as error:
        failed = error
    # The session is used again. A whole answer is large.
    answer, session.player_answer = session.player_answer, None
    if not isinstance(member(answer, "playabilityStatus"), dict):
        raise failed or api.YouTubeDataUnparsable(video_id)
    if failed is not None:
        _drop_frames(failed)
    return answer


def _verdict(refusal: Refusal) -> Answer:
    """The answer about a video that does not play.

    Raises:
        Refused: the words are not, or not surely, about the video.
    """
    said = refusal.said
    match refusal.meaning:
        case "restricted" | "gone" | "gone unless listed":
            reason = refusal.sentence or f"YouTube does not play the video: {said}."
            return Answer("unavailable", reason=reason, restricted=refusal.meaning == "restricted")
        case "not yet":
            reason = f"YouTube cannot play the video yet: {said}."
            return Answer("no_transcript", reason=reason, not_yet=True, expected_at=refusal.expected_at)
        case "address":
            raise Refused(ADDRESS_BLOCKED)
        case "perhaps address":
            raise Refused(f"YouTube cannot play the video now: {said}.", weak=True)
    raise Refused(f"YouTube refuses the video and gives a reason that is not known: {said}.", unknown=True)


def _first_with_words(video_id: str, tracks: Sequence[Track], choice: Choice, session: Session) -> Answer:
    """The transcript of the first track that YouTube sends whole and that has words.

    Raises what the best track failed with, if all fail.
    """
    passed_over: list[str] = []
    failed: Exception | None = None
    asked = 0
    for track in tracks:
        if asked == _TRACKS:
            break
        try:
            asked += _PROOF_NEEDED not in track.url
            lines = timedtext.parse(_download(video_id, track, session))
        except (api.PoTokenRequired, api.YouTubeRequestFailed, ParseError) as error:
            if isinstance(error, api.YouTubeRequestFailed) and not _status(error).startswith("4"):
                # That passes, and then the best track can be had.
                raise
            _drop_frames(error)
            failed = failed or error
            passed_over.append(f"{track.language_name[:100]} ({str(_meaning_of(error)).rstrip('.')})")
            continue
        if lines:
            reason = f"Better captions could not be had: {', '.join(passed_over)}." if passed_over else ""
            transcript = Transcript(track.language, track.language_name, track.generated, lines, choice)
            return Answer("transcript", transcript, reason)
        passed_over.append(f"{track.language_name[:100]} (empty)")
    if failed is not None:
        raise failed
    return Answer("no_transcript", reason="The video's captions are empty.")


def _download(video_id: str, track: Track, session: Session) -> bytes:
    """As ``Transcript.fetch()`` of the library, which also parses, but slowly (see timedtext)."""
    if _PROOF_NEEDED in track.url:
        raise api.PoTokenRequired(video_id)
    response = session.get(track.url)
    if response.status_code == requests.codes.too_many_requests:
        raise api.IpBlocked(video_id)
    try:
        response.raise_for_status()
    except requests.HTTPError as error:
        raise api.YouTubeRequestFailed(video_id, error) from error
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
_LIVE = Answer("no_transcript", reason="The video is live now. Its captions come later.", not_yet=True)


def _meaning_of(error: Exception) -> YouTubeError:
    """Translates an exception of the library, or of the network."""
    for kinds, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return meaning(error)
    return AttemptFailed("YouTube sent an answer that cannot be read.", detail=repr(error)[:300])


#: The first that matches counts: some of the library's exceptions derive from others.
_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Callable[[Exception], YouTubeError]], ...] = (
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
    ((requests.ConnectTimeout,), lambda _: NotReached("YouTube could not be reached in time.")),
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
