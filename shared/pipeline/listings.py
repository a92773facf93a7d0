"""What a job lists: a playlist or a channel at YouTube, or a collection of the person's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from shared import clock, logs
from shared.errors import GrantExpired, JobFailed, NotVisible
from shared.gcp.firestore import Firestore
from shared.library import collections
from shared.library.checks import Checks
from shared.library.collections import is_collection
from shared.library.memberships import Membership
from shared.library.refreshes import is_young
from shared.oauth.grants import Grants
from shared.pipeline.jobs import Job
from shared.youtube import channels
from shared.youtube.addresses import channel_of, is_uploads
from shared.youtube.channels import Choice
from shared.youtube.data_api import DataApi
from shared.youtube.resources import PAGE, FirstPage, Item, PlaylistInfo

#: Who says that the videos are there: a playlist that everybody sees, one that its owner sees, or a person.
ListedBy = Literal["everybody", "owner", "person"]


@dataclass(frozen=True, slots=True)
class Source:
    """What is about to be listed.

    ``pages``: asks for the items in their order, up to 50 at a time. ``etag``: of the first page, if YouTube
    gave one. ``described_at``: when the title was asked for; None if it was known. ``channel``: what of a
    channel is listed. ``partial``: that is not everything.
    """

    playlist: PlaylistInfo
    pages: Callable[[], Iterator[Sequence[Item]]]
    kind: Literal["playlist", "channel", "collection"] = "playlist"
    by: ListedBy = "everybody"
    etag: str | None = None
    described_at: datetime | None = None
    channel: Mapping[str, Any] | None = None
    partial: bool = False


class Listings:
    """Finds out what a job lists."""

    def __init__(self, db: Firestore, youtube: DataApi, grants: Grants) -> None:
        self._db = db
        self._youtube = youtube
        self._grants = grants
        self._checks = Checks(db)

    def open(self, job: Job, known: Membership | None) -> Source:
        """What a job lists. A refresh asks YouTube only for what it does not know.

        ``known``: the source as it is in the user's library.

        Raises:
            NotVisible: there is no such playlist, or it is somebody else's.
            JobFailed, GrantExpired, Deferred, Transient: as :class:`shared.youtube.data_api.DataApi`.
        """
        if is_collection(job.playlist_id):
            return self._collection(job, known)
        if not is_uploads(job.playlist_id):
            return self._playlist(job, known)
        chosen = job.channel or (known.channel if known else None)
        choice = Choice(**(chosen or {}))
        if choice.everything:
            return replace(self._playlist(job, known), kind="channel", channel=choice.as_json())
        return self._channel(job, known, choice)

    def describe(self, job: Job, known: Membership | None) -> PlaylistInfo:
        """What YouTube says of a playlist or channel now. Raises as :meth:`open`."""
        return self._visible_playlist(job, known)[0]

    def _channel(self, job: Job, known: Membership | None, choice: Choice) -> Source:
        """A channel of which not everything is wanted."""
        described_at, info = None, _described_lately(job, known)
        if info is None:
            described_at = clock.now()
            info = self._described_channel(job)
        if choice.newest is not None:
            info = replace(info, item_count=min(info.item_count, choice.newest))
        # The refresh has asked for the first page of the uploads. It tells whether there is anything new.
        check = self._checks.read(None, job.playlist_id)
        return Source(
            info,
            lambda: channels.pages(self._youtube, job.playlist_id, choice),
            "channel",
            etag=check.page.etag if check and check.fresh else None,
            described_at=described_at,
            channel=choice.as_json(),
            partial=True,
        )

    def _described_channel(self, job: Job) -> PlaylistInfo:
        channel_id = channel_of(job.playlist_id)
        found = self._youtube.channels([channel_id]).get(channel_id)
        if found is None:
            raise NotVisible("YouTube knows no such channel, or has closed it.")
        return PlaylistInfo(found.title, found.thumbnail_url, found.videos or 0, "public")

    def _playlist(self, job: Job, known: Membership | None) -> Source:
        info = _described_lately(job, known)
        if info is not None:
            is_private = info.privacy == "private"
            try:
                access_token = self._grants.access_token(job.user_id) if is_private else None
                check = self._checks.read(job.user_id if is_private else None, job.playlist_id)
                first = check.page if check and check.continues else self._first_page(job, access_token)
                return self._listed(job, info, access_token, first, None)
            except NotVisible:
                # Its owner has hidden it meanwhile.
                logs.info("playlist hidden since it was described")
        asked_at = clock.now()
        playlist, access_token = self._visible_playlist(job, known)
        return self._listed(job, playlist, access_token, self._first_page(job, access_token), asked_at)

    def _listed(
        self,
        job: Job,
        playlist: PlaylistInfo,
        access_token: str | None,
        first: FirstPage,
        described_at: datetime | None,
    ) -> Source:
        return Source(
            playlist,
            lambda: self._youtube.pages(job.playlist_id, access_token, first=first),
            by="everybody" if access_token is None else "owner",
            etag=first.etag,
            described_at=described_at,
        )

    def _first_page(self, job: Job, access_token: str | None) -> FirstPage:
        found = self._youtube.first_page(job.playlist_id, access_token)
        assert found is not None, "only an etag makes it so"
        return found

    def _visible_playlist(self, job: Job, known: Membership | None) -> tuple[PlaylistInfo, str | None]:
        """The playlist as everybody sees it, or as the job's user sees it and the access token for that.

        Raises NotVisible for a private playlist of somebody else, as if it did not exist.
        """
        if is_uploads(job.playlist_id):
            return self._described_channel(job), None
        try:
            if known is not None and known.privacy == "private":
                # Most likely it still is. Asking as everybody would cost a unit more.
                own_token = self._grants.access_token(job.user_id)
                if own_token is not None:
                    found = self._youtube.playlist(job.playlist_id, own_token)
                    return found, own_token if found.privacy == "private" else None
        except (GrantExpired, NotVisible) as error:
            logs.info("playlist hidden since it was described", reason=str(error))
        try:
            return self._youtube.playlist(job.playlist_id), None
        except NotVisible:
            access_token = self._grants.access_token(job.user_id)
            if access_token is None:
                raise
            return self._youtube.playlist(job.playlist_id, access_token), access_token

    def _collection(self, job: Job, known: Membership | None) -> Source:
        found = collections.read(self._db, job.user_id, job.playlist_id)
        if found is None:
            raise JobFailed("This collection is not in your library any more.")

        def pages() -> Iterator[list[Item]]:
            # Read once more: listing has begun, and what is added from now on extends the job.
            now = collections.read(self._db, job.user_id, job.playlist_id)
            added = dict(now.added) if now else {}
            if now and job.new_only:
                for video_id in (*(known.video_ids if known else ()), *now.gone):
                    added.pop(video_id, None)
            items = [
                Item(video_id, "", "", "", None, position=number, gone=None, added_at=time)
                for number, (video_id, time) in enumerate(added.items())
            ]
            for start in range(0, len(items), PAGE):
                yield items[start : start + PAGE]

        info = PlaylistInfo(found.title, None, len(found.added))
        return Source(info, pages, "collection", "person", described_at=clock.now())


def _described_lately(job: Job, known: Membership | None) -> PlaylistInfo | None:
    """What is known of a source and is good enough for a refresh. None when YouTube has to be asked."""
    if not (job.scheduled and known and known.described_at and is_young(known.described_at)):
        return None
    return PlaylistInfo(known.title, known.thumbnail_url, len(known.video_ids), known.privacy)
