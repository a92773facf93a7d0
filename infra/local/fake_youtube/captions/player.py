"""POST /youtubei/v1/player: whether a video plays, and the list of its caption tracks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from infra.local.fake_youtube import field_mask
from infra.local.fake_youtube.captions import padding, timedtext
from infra.local.fake_youtube.field_mask import Mask
from infra.local.fake_youtube.library.model import LANGUAGE_NAMES, LIVE, NO_CAPTIONS, AudioTrack, Track, Video
from infra.local.fake_youtube.library.playability import Playability, why_unplayable
from infra.local.fake_youtube.replies import JSON, Reply, SharedHead, compress

#: The key that a client reads in the watch page and sends to the player. It has the form of YouTube's.
INNERTUBE_KEY = "AIzaSyStandIn_0000000000000000000000000"
_CONTEXT_PARAMS = "Q0FFU0FnZ0I="
#: The padding holds these members; "*" selects them, too.
_PADDING_MEMBERS = frozenset({"responseContext", "streamingData", "*"})
_UNPLAYABLE_HEAD = SharedHead(b'{"responseContext":{},')


@dataclass(frozen=True, slots=True)
class PlayerChanges:
    """How a fault or a blocked address changes the answer of a video that otherwise plays.

    ``unplayable``: why it does not play. ``captions``: False hides the tracks. ``po_token``: the URLs of
    captions demand a token that proves a real browser.
    """

    unplayable: Playability | None = None
    captions: bool = True
    po_token: bool = False


NO_CHANGES = PlayerChanges()


def wrong_key() -> Reply:
    return bad_request("API key not valid. Please pass a valid API key.")


def bad_request(message: str) -> Reply:
    error = {
        "code": 400,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": "badRequest"}],
        "status": "INVALID_ARGUMENT",
    }
    return Reply(400, JSON, json.dumps({"error": error}).encode())


def answer(
    video_id: str,
    video: Video | None,
    gzip: bool,
    changes: PlayerChanges = NO_CHANGES,
    mask: Mask | None = None,
) -> Reply:
    """`video`: None for one that does not exist. `mask`: the part of the answer that the client asks for;
    None for all of it."""
    unplayable = changes.unplayable or why_unplayable(video)
    if unplayable is not None:
        head, members = _UNPLAYABLE_HEAD, {"playabilityStatus": _playability_status(unplayable)}
        if video is not None and video.starts_at is not None:
            members["playabilityStatus"] |= _begins(video.starts_at)
    else:
        assert video is not None
        head = padding.player_head(video_id)
        tracks = video.tracks if changes.captions and video.status not in (NO_CAPTIONS, LIVE) else ()
        members = _playable(video, tracks, changes.po_token)
        if video.status == LIVE:
            members["playabilityStatus"]["liveStreamability"] = {
                "liveStreamabilityRenderer": {"videoId": video_id}
            }
    if mask is not None:
        # Parsing the padding is slow, and few clients ask for it.
        whole = json.loads(head.data + _json(members)[1:]) if mask.keys() & _PADDING_MEMBERS else members
        body = _json(field_mask.apply(mask, whole))
        return Reply(200, JSON, body, compress(body) if gzip else None)
    # The head has already opened the JSON object.
    plain, gzipped = head.with_tail(_json(members)[1:], gzip)
    return Reply(200, JSON, plain, gzipped)


def _plays(video_id: str) -> dict[str, Any]:
    """As large as YouTube's, which clients of other kinds read."""
    tracking = "CAkQ6ewBIhMIAAAAAAAAAAAVAAAAAAAAAAAA"
    params = f"ChPqqN25AQ0KC{video_id}IgtA{video_id}KhUICRgBUg8KC{video_id}IAB"
    upsell = {"clickTrackingParams": tracking, "ypcGetOfflineUpsellEndpoint": {"params": params}}
    return {
        "status": "OK",
        "playableInEmbed": True,
        "offlineability": {"buttonRenderer": {"serviceEndpoint": upsell, "trackingParams": tracking}},
        "pictureInPicture": {
            "pictureInPictureRenderer": {
                "pictureInPictureStyleConfig": {"enableScrubbing": True, "enableNavigationControls": True},
                "pictureInPicturePlayability": "PICTURE_IN_PICTURE_PLAYABILITY_SHOPPING",
            }
        },
        "miniplayer": {"miniplayerRenderer": {"playbackMode": "PLAYBACK_MODE_ALLOW"}},
        "contextParams": _CONTEXT_PARAMS,
    }


def _playability_status(why: Playability) -> dict[str, Any]:
    renderer: dict[str, Any] = {"reason": {"runs": [{"text": why.reason}]}}
    if why.subreason:
        renderer["subreason"] = {"runs": [{"text": why.subreason}]}
    return {
        "status": why.status,
        "reason": why.reason,
        "errorScreen": {"playerErrorMessageRenderer": renderer},
        "contextParams": _CONTEXT_PARAMS,
    }


def _begins(starts_at: str) -> dict[str, Any]:
    """The part of the player's answer that says when a broadcast begins."""
    seconds = str(int(datetime.fromisoformat(starts_at).timestamp()))
    slate = {"liveStreamOfflineSlateRenderer": {"scheduledStartTime": seconds}}
    return {"liveStreamability": {"liveStreamabilityRenderer": {"offlineSlate": slate}}}


def _playable(video: Video, tracks: Sequence[Track], po_token: bool) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if tracks:
        members["captions"] = {
            "playerCaptionsTracklistRenderer": {
                "captionTracks": [_track(video.id, track, po_token) for track in tracks],
                "audioTracks": _audio_tracks(video, len(tracks)),
                "translationLanguages": _translation_languages(),
                "defaultAudioTrackIndex": video.default_audio_track,
            }
        }
    return members | {
        "playabilityStatus": _plays(video.id),
        "videoDetails": {
            "videoId": video.id,
            "title": video.title,
            "lengthSeconds": str(video.duration),
            "channelId": video.channel.id,
            "shortDescription": video.description,
            "viewCount": str(video.views),
            "author": video.channel.title,
            "isPrivate": False,
            "isLiveContent": False,
        },
    }


def _audio_tracks(video: Video, count: int) -> list[dict[str, Any]]:
    audio_tracks = video.audio_tracks or (AudioTrack("", tuple(range(count))),)
    return [_audio_track(each) for each in audio_tracks]


def _audio_track(audio: AudioTrack) -> dict[str, Any]:
    described: dict[str, Any] = {
        "captionTrackIndices": list(audio.captions),
        "hasDefaultTrack": audio.default is not None,
        "visibility": "UNKNOWN",
    }
    if audio.default is not None:
        described["defaultCaptionTrackIndex"] = audio.default
    if audio.id:
        described["audioTrackId"] = audio.id
    return described


def _track(video_id: str, track: Track, po_token: bool) -> dict[str, Any]:
    member: dict[str, Any] = {
        "baseUrl": timedtext.signed_url(video_id, track, po_token or track.fault == "po_token"),
        "name": {"runs": [{"text": track.name}]},
        "vssId": f"{'a' if track.generated else ''}.{track.language}",
        "languageCode": track.language,
        "isTranslatable": True,
        "trackName": track.own_name,
    }
    if track.generated:
        member["kind"] = "asr"
    return member


@cache
def _translation_languages() -> list[dict[str, object]]:
    """The languages into which captions can be translated."""
    return [
        {"languageCode": code, "languageName": {"runs": [{"text": name}]}}
        for code, name in LANGUAGE_NAMES.items()
        if "-" not in code or code.startswith("zh")
    ]


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
