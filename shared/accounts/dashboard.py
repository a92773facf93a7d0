"""The dashboard: the playlists in the caller's library and those at YouTube, with their jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal, TypedDict

from msgspec import Struct

from shared import clock, logs
from shared.config import Config
from shared.declared import JobId, PlaylistId, Time
from shared.errors import NotFound, Transient
from shared.gcp.firestore import Firestore
from shared.library.at_youtube import Notice
from shared.library.collections import is_collection
from shared.library.memberships import Membership, Memberships
from shared.library.own_playlists import OwnPlaylists
from shared.library.refreshes import Chosen, Every, Refresh, Refreshes
from shared.meaning.embedder import model_named
from shared.meaning.store import read_state
from shared.messages import is_id
from shared.oauth.grants import Grants
from shared.pipeline import job_views
from shared.pipeline.budget import Budget, Spent
from shared.pipeline.job_views import JobBrief
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.ledger import Ledger
from shared.pipeline.refresh import listing_cost
from shared.search.errors import SearchRefused
from shared.search.index.passage_counts import PassageCounts, Progress
from shared.search.index.writer import SearchIndex
from shared.youtube.channels import Choice
from shared.youtube.data_api import DataApi
from shared.youtube.resources import PlaylistInfo

_SOURCES = ("liked", "own", "url")
#: Changes are shown for so long.
_RECENT = timedelta(days=7)
#: A source is late when its slot is so long ago: the scheduler calls every few minutes.
_LATE = timedelta(minutes=15)


class RefreshChoice(Struct):
    """`auto`: as often as its size allows."""

    refresh: Chosen


class Indexed(TypedDict):
    """When a source was indexed last, and the videos of it that can be searched.

    `by_meaning`: how many of them can be searched by meaning, too; null where nothing is.
    """

    videos: int
    at: Time
    job_id: JobId | None
    by_meaning: Progress | None


class Changes(TypedDict):
    """What the jobs of the last week found. `captions`: videos that got captions."""

    since: Time
    new: int
    removed: int
    captions: int
    renamed: int


class RefreshPlan(TypedDict):
    """How often a source is refreshed, as you chose, and when next. `late`: why it is late."""

    every: Every
    chosen: Chosen
    next_at: Time | None
    late: str | None


class SourceView(TypedDict):
    """A source, without what changes by the minute."""

    playlist_id: PlaylistId
    title: str
    thumbnail_url: str | None
    video_count: int | None
    indexed: Indexed | None
    source: Literal["liked", "own", "url"]
    privacy: str | None
    kind: str
    channel: Choice | None
    changes: Changes | None


class Source(SourceView):
    """A source in your library, or a playlist of yours at YouTube.

    - `source`: Liked videos, a list of your own, or added by its address
    - `kind`: playlist, channel or collection; `channel`: what of a channel was chosen
    - `indexed`: null before its first job has ended; `job`: the active one
    """

    refresh: RefreshPlan | None
    job: JobBrief | None


class SourceList(TypedDict):
    """`notices`: why the list may be old."""

    playlists: list[Source]
    notices: list[Notice]


class Dashboard:
    """The use case behind `GET /api/playlists`."""

    def __init__(
        self,
        config: Config,
        db: Firestore,
        index: SearchIndex,
        grants: Grants,
        youtube: DataApi,
        passages: PassageCounts,
    ) -> None:
        self._db = db
        self._embedder = config.embedder
        self._passages = passages
        self._memberships = Memberships(db, index)
        self._own_playlists = OwnPlaylists(db, grants, youtube)
        self._jobs = Jobs(db)
        self._ledger = Ledger(db)
        self._refreshes = Refreshes(db)
        self._budget = Budget(db, config.refresh_units_per_day)

    def of_user(self, user_id: str) -> SourceList:
        """The Liked videos first, then the user's own playlists, then those added by address.

        Raises:
            Transient: the database does not answer.
        """
        own = self._own_playlists.of_user(user_id)
        memberships = {each.playlist_id: each for each in self._memberships.of_user(user_id)}
        # A job of some videos says nothing about their playlist.
        active = {job.playlist_id: job for job in self._jobs.active(user_id) if job.whole}
        plans, spent = self._plans(user_id, memberships), self._budget.read()
        by_meaning = self._by_meaning(
            user_id, [each for each, held in memberships.items() if held.indexed_at]
        )
        shown: list[Source] = [
            {
                **_view(each, memberships.get(each), own.playlists.get(each), by_meaning.get(each)),
                "refresh": self._plan(plans.get(each), spent),
                "job": self._brief(active.get(each)),
            }
            for each in {**own.playlists, **memberships}
        ]
        shown.sort(
            key=lambda each: (
                _SOURCES.index(each["source"]),
                each["title"].casefold(),
                each["playlist_id"],
            )
        )
        return {"playlists": shown, "notices": list(own.notices)}

    def _by_meaning(self, user_id: str, playlist_ids: Sequence[str]) -> dict[str, Progress]:
        """Empty while there is nothing by meaning, and if it cannot be counted now: nothing depends on it."""
        if self._embedder == "off" or not playlist_ids:
            return {}
        try:
            model = model_named(read_state(self._db).serving, self._embedder)
            return self._passages.of_sources(model, user_id, playlist_ids) if model else {}
        except SearchRefused as error:
            if not error.no_index:
                logs.warning("what can be found by meaning was not counted", error)
        except Transient as error:
            logs.warning("what can be found by meaning was not counted", error)
        return {}

    def choose(self, user_id: str, playlist_id: str, chosen: Chosen) -> Source:
        """The use case behind `PATCH /api/playlists/{id}`. The source, as :meth:`of_user` shows it.

        Raises:
            NotFound: the source is not in the user's library.
        """
        if not is_id(playlist_id):
            raise NotFound("There is no such playlist in your library.")
        self._memberships.choose(user_id, playlist_id, chosen)
        membership = self._memberships.read(user_id, playlist_id)
        if membership is None:
            raise NotFound("There is no such playlist in your library.")
        plan = self._refreshes.of_user(user_id).get(playlist_id)
        progress = self._by_meaning(user_id, [playlist_id] if membership.indexed_at else [])
        return {
            **_view(playlist_id, membership, None, progress.get(playlist_id)),
            "refresh": self._plan(plan, self._budget.read()),
            "job": self._brief(self._jobs.current(user_id, playlist_id)),
        }

    def _plans(self, user_id: str, library: Mapping[str, Membership]) -> dict[str, Refresh]:
        """By playlist id. Sources that were indexed before there were refreshes are refreshed from now on."""
        plans = self._refreshes.of_user(user_id)
        older = [each for each, held in library.items() if held.indexed_at and each not in plans]
        for playlist_id in older:
            try:
                self._memberships.choose(user_id, playlist_id, None)
            except NotFound:
                # Removed meanwhile.
                continue
        return self._refreshes.of_user(user_id) if older else plans

    def _plan(self, plan: Refresh | None, spent: Spent) -> RefreshPlan | None:
        """When a source is refreshed next, and why it is late. None for what was never indexed."""
        if plan is None:
            return None
        return {
            "every": plan.every,
            "chosen": plan.chosen,
            "next_at": clock.rfc3339(plan.slot_at),
            "late": self._late(plan, spent),
        }

    def _late(self, plan: Refresh, spent: Spent) -> str | None:
        if plan.slot_at is None or clock.now() - plan.slot_at < _LATE:
            return plan.late
        if spent.blocked:
            return f"YouTube's daily quota is used up. It comes after {clock.rfc3339(spent.blocked_until)}."
        if self._budget.units - spent.units < listing_cost(plan.videos):
            return (
                "What is set aside of YouTube's quota for today is used up. It comes after"
                f" {clock.rfc3339(spent.renewed_at)}."
            )
        return plan.late or "Others come first. It is its turn within minutes."

    def _brief(self, job: Job | None) -> JobBrief | None:
        return job_views.brief(job, self._ledger.counts(job.job_id, job.shards)) if job else None


def _view(
    playlist_id: str, membership: Membership | None, own: PlaylistInfo | None, by_meaning: Progress | None
) -> SourceView:
    known = own or membership
    assert known is not None, "a playlist is listed because it is in the library, or the user's own"
    indexed: Indexed | None = None
    if membership and membership.indexed_at:
        indexed = {
            "videos": membership.indexed_videos,
            "at": clock.rfc3339(membership.indexed_at),
            "job_id": membership.job_id,
            "by_meaning": by_meaning,
        }
    # A private playlist in the library is the user's own, also while YouTube cannot be asked.
    is_own = own is not None or known.privacy == "private" or is_collection(playlist_id)
    return {
        "playlist_id": playlist_id,
        "title": known.title,
        "thumbnail_url": known.thumbnail_url,
        "video_count": own.item_count if own else len(membership.video_ids) if membership else 0,
        "indexed": indexed,
        "source": "liked" if playlist_id.startswith("LL") else "own" if is_own else "url",
        "privacy": known.privacy,
        "kind": membership.kind if membership else "playlist",
        "channel": Choice(**membership.channel) if membership and membership.channel else None,
        "changes": _changes(membership) if membership else None,
    }


def _changes(membership: Membership) -> Changes | None:
    """What the jobs of the last days have found. Videos that are gone meanwhile do not count."""
    recent = [each for each in membership.changes if clock.now() - each.at < _RECENT]
    if not recent:
        return None
    held = set(membership.video_ids)

    def count(name: str) -> int:
        return len(held.intersection(video for each in recent for video in getattr(each, name)))

    return {
        "since": clock.rfc3339(min(each.at for each in recent)),
        "new": count("new"),
        "removed": sum(each.removed for each in recent),
        "captions": count("captions"),
        "renamed": count("renamed"),
    }
