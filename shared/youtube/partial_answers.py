"""Partial answers: YouTube's player is asked only for the members that this package reads.

A whole answer has 21 to 35 KB compressed; nine tenths of it say where the streams are. Google's APIs send a
part of an answer when the query parameter ``$fields`` selects it
(https://cloud.google.com/apis/docs/system-parameters; the grammar:
https://developers.google.com/youtube/v3/getting-started#fields). YouTube does not document this for its
player, but other clients use it there (NewPipe, ReVanced). So a partial answer is checked:

- Caption tracks: the answer is used. Selecting works in this process.
- No caption tracks, although the video plays: the request is made once more, for the whole answer. YouTube
  leaves ``captions`` out where a video has none, and a selection that went wrong would look the same. A wrong
  "no captions" would be remembered for days.
- An answer that cannot be read (no JSON, nothing about whether the video plays), or a status such as 400: the
  request is made once more. An unknown selection is answered with 400, and so is a key that has changed.
- The video does not play, HTTP 429, HTTP 5xx: the answer is used if selecting has worked before. Then it is
  about the video, the address or the moment, and another request would be wasted. If selecting has not worked
  yet, YouTube may be refusing the selection, and the request is made once more.

A whole answer is used wherever there is one. If the video plays according to it, and the partial answer did
not say so or lacked the caption tracks, then partial answers are off until the process ends. One such case
is enough: whole answers cost bytes, wrong ones cost transcripts. A YouTube that ignores the parameter sends
whole answers; they are checked in the same way. A request without any answer (a timeout, a reset) proves
nothing and is not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import requests

from shared import logs
from shared.youtube.player_answer import member

#: Added to the address of the request. ``translationLanguages`` is left out: no translation is asked for.
PARAMETERS = (
    "&prettyPrint=false&$fields=playabilityStatus,captions/playerCaptionsTracklistRenderer"
    "(captionTracks,audioTracks,defaultAudioTrackIndex)"
)

_Said = Literal["tracks", "no tracks", "not playable"]


class PartialAnswers:
    """Whether YouTube supports partial answers. Threads share it; a race costs one more request.

    ``on``: they are asked for. ``works``: one with caption tracks has come.
    """

    def __init__(self) -> None:
        self.on, self.works = True, False

    def ask(self, send: Callable[[str], requests.Response]) -> requests.Response:
        """The answer to use. ``send`` makes the request with these parameters added to its address.

        Raises:
            requests.RequestException: as ``send`` does.
        """
        if not self.on:
            return send("")
        partial = send(PARAMETERS)
        said = _said(partial)
        if said == "tracks":
            self.works = True
            return partial
        if self.works and (
            said == "not playable" or partial.status_code == 429 or partial.status_code >= 500
        ):
            return partial
        whole = send("")
        found = _said(whole)
        if found in ("tracks", "no tracks") and found != said:
            self.on = False
            logs.warning("partial answers are off", status=partial.status_code, partial=said, whole=found)
        return whole


def _said(response: requests.Response) -> _Said | None:
    """Reads the player's answer. None if it does not say whether the video plays."""
    if response.status_code != 200:
        return None
    try:
        answer = response.json()
    except ValueError:
        return None
    status = member(answer, "playabilityStatus", "status")
    if not isinstance(status, str):
        return None
    if status != "OK":
        return "not playable"
    tracks = member(answer, "captions", "playerCaptionsTracklistRenderer", "captionTracks")
    return "tracks" if isinstance(tracks, list) and tracks else "no tracks"
