"""Partial answers: YouTube's player is asked only for the members that this package reads.

A whole answer has 21 to 35 KB compressed; nine tenths of it say where the streams are. Google's APIs send a
part of an answer when the query parameter ``$fields`` selects it
(https://cloud.google.com/apis/docs/system-parameters; the grammar:
https://developers.google.com/youtube/v3/getting-started#fields). YouTube does not document this for its
player, but other clients use it there (NewPipe, ReVanced). So a partial answer is checked:

- Caption tracks, with all that whole answers say of them: the answer is used. Selecting works here.
- Something is missing, although the video plays: the request is made once more, for the whole answer. YouTube
  leaves ``captions`` out where a video has none, and a selection that went wrong would look the same. A wrong
  "no captions" would be remembered for days, and without the audio tracks a wrong language would be taken.
- An answer that cannot be read (no JSON, nothing about whether the video plays), or a status such as 400: the
  request is made once more. An unknown selection is answered with 400, and so is a key that has changed.
- The video does not play, HTTP 429, HTTP 5xx: the answer is used if selecting has worked before. Then it is
  about the video, the address or the moment, and another request would be wasted. If selecting has not worked
  yet, YouTube may be refusing the selection, and the request is made once more.

A whole answer is used wherever there is one. If it has something that the partial answer lacked, then partial
answers are off until the process ends. One such case is enough: whole answers cost bytes, wrong ones cost
transcripts. What a whole answer with caption tracks lacks as well is not looked for any more: YouTube may
have stopped sending it. A YouTube that ignores the parameter sends whole answers, which are checked in the
same way.
A request without any answer (a timeout, a reset) proves nothing and is not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable

import requests

from shared import logs
from shared.youtube.player_answer import member, objects

#: Added to the address of the request. These are the members that :mod:`.playability` and :mod:`.tracks`
#: read. Lists are selected whole: each further name could be one that YouTube refuses, and compressed their
#: other members are some bytes. ``videoDetails`` is not read: the spoken language comes from the audio
#: tracks, and else from videos.list. No translation is asked for, so ``translationLanguages`` is left out.
PARAMETERS = (
    "&prettyPrint=false&$fields=playabilityStatus,captions/playerCaptionsTracklistRenderer"
    "(captionTracks,audioTracks,defaultAudioTrackIndex)"
)

#: What YouTube says of each caption track.
_OF_A_TRACK = frozenset({"baseUrl", "languageCode", "name", "trackName", "vssId"})
#: The answer of a video that plays and has captions says all of this. ``plays``: that it plays.
_EXPECTED = _OF_A_TRACK | {
    "playabilityStatus",
    "plays",
    "captionTracks",
    "audioTracks",
    "defaultAudioTrackIndex",
}


class PartialAnswers:
    """Whether YouTube supports partial answers. Threads share it; a race costs one more request.

    ``on``: they are asked for. ``works``: one has come that lacked nothing.
    """

    def __init__(self) -> None:
        self.on, self.works = True, False
        self._expected = _EXPECTED

    def ask(self, send: Callable[[str, bool], requests.Response]) -> requests.Response:
        """The answer to use.

        ``send`` makes the request with these parameters added to its address. Its second argument: the
        request repeats one that YouTube has perhaps refused.

        Raises:
            requests.RequestException: as ``send`` does.
        """
        if not self.on:
            return send("", False)
        partial = send(PARAMETERS, False)
        said = _said(partial)
        if self._expected <= said:
            self.works = True
            return partial
        does_not_play = "playabilityStatus" in said and "plays" not in said
        refused = does_not_play or partial.status_code == 429
        if self.works and (refused or partial.status_code >= 500):
            return partial
        whole = send("", refused)
        all_said = _said(whole)
        if missing := (all_said - said) & self._expected:
            self.on = False
            logs.warning("partial answers are off", status=partial.status_code, missing=sorted(missing))
        elif "captionTracks" in all_said:
            self._expected &= all_said
        return whole


def _said(response: requests.Response) -> frozenset[str]:
    """What of _EXPECTED the player's answer says. Empty if it cannot be read."""
    try:
        answer = response.json() if response.status_code == 200 else None
    except ValueError:
        return frozenset()
    status = member(answer, "playabilityStatus", "status")
    if not isinstance(status, str):
        return frozenset()
    captions = member(answer, "captions", "playerCaptionsTracklistRenderer")
    tracks = objects(member(captions, "captionTracks"))
    found = {
        "playabilityStatus": True,
        "plays": status == "OK",
        "captionTracks": tracks,
        "audioTracks": objects(member(captions, "audioTracks")),
        "defaultAudioTrackIndex": member(captions, "defaultAudioTrackIndex") is not None,
    }
    found |= {name: tracks and all(name in track for track in tracks) for name in _OF_A_TRACK}
    return frozenset(name for name, is_there in found.items() if is_there)
