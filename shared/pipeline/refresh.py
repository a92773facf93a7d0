"""Refreshing: finds out what has changed in the libraries, and starts jobs for that.

See docs/decisions/refresh.md. Calling it again, twice at the same time, or after a crash is harmless: a
source is claimed before YouTube is asked, and its job is stored in the commit that ends the claim.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from shared import clock, logs
from shared.config import INCOMPLETE, Config, ConfigError
from shared.errors import Deferred, Full, GrantExpired, JobFailed, KeyRefused, NotVisible, Transient
from shared.gcp.documents import Commit
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.library import links, memberships
from shared.library.checks import Check, Checks
from shared.library.memberships import Membership
from shared.library.refreshes import Again, Due, Refresh, Refreshes, is_young, next_slot
from shared.oauth.grants import Grants
from shared.pipeline.budget import Budget
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.start import publish
from shared.youtube.data_api import DataApi
from shared.youtube.resources import PAGE

#: Seconds that one call works. The next one continues.
_WORKS_FOR = 200.0
#: Minutes of each hour in which it works without units. The scheduler calls every five minutes.
_OF_AN_HOUR = 5
_TOO_LARGE = (
    "Listing it takes more of YouTube's quota than is set aside for a day. Refresh it yourself, or ask the"
    " operator to raise REFRESH_UNITS_PER_DAY."
)


@dataclass(slots=True)
class Refreshed:
    """Counts of one call: sources looked at, units spent on them, jobs started, and sources with trouble."""

    sources: int = 0
    units: int = 0
    jobs: int = 0
    troubles: int = 0


class _NothingLeft(Exception):
    """The budget of the day is used up."""


class _Overtaken(Exception):
    """The source was removed or changed since it was claimed."""


class Refreshing:
    """The use case of the scheduler. ``admits``: whether a user may use this site (still)."""

    def __init__(
        self,
        config: Config,
        db: Firestore,
        topics: Topics,
        youtube: DataApi,
        grants: Grants,
        admits: Callable[[str], bool],
    ) -> None:
        self._db = db
        self._topics = topics
        self._youtube = youtube
        self._grants = grants
        self._admits = admits
        self._jobs = Jobs(db)
        self._checks = Checks(db)
        self._refreshes = Refreshes(db)
        self._budget = Budget(db, config.refresh_units_per_day)

    def run(self) -> Refreshed:
        """Looks at what is due, as far as time and the budget of the day allow."""
        done, deadline = Refreshed(), monotonic() + _WORKS_FOR
        if self._db.room.lack():
            # No job could start. So nothing is asked for, and everything stays due.
            return done
        spent, now = self._budget.read(), clock.now()
        left = self._budget.units - spent.units
        # Without units only videos can be fetched that were expected later. Once an hour is enough for them:
        # reading what is due has its price, too.
        if spent.blocked or (left < listing_cost(0) and now.minute >= _OF_AN_HOUR):
            return done
        for due in in_turn(self._refreshes.due(now), spent.users):
            if monotonic() > deadline:
                break
            at_slot = due.slot_at is not None and due.slot_at <= now
            # What costs more than a whole day's budget is told so, and does not wait.
            if at_slot and left - done.units < listing_cost(due.videos) <= self._budget.units:
                continue
            with logs.context(playlist_id=due.playlist_id):
                try:
                    self._look_at(due, done)
                except Deferred as error:
                    # Of the whole day, or of a minute. It is true of everything else, too.
                    logs.warning("refreshing put off", error)
                    self._budget.block(error.until)
                    break
                except (KeyRefused, ConfigError, Full) as error:
                    # It is true of everything else, too. Nothing is put off: it comes when that is mended.
                    done.troubles += 1
                    logs.error("refreshing needs the operator", error)
                    break
                except Transient as error:
                    # It is due again when the claim is over. The others need not wait for that.
                    done.troubles += 1
                    logs.warning("a source could not be refreshed", error)
                except Exception as error:
                    # The same. The operator reads it.
                    done.troubles += 1
                    logs.error("a source cannot be looked at", error)
        return done

    def _look_at(self, due: Due, done: Refreshed) -> None:
        claimed = self._refreshes.claim(due)
        if claimed is None:
            return
        now = clock.now()
        if claimed.every == "off":
            self._refreshes.end(claimed, slot_at=None)
            return
        at_slot = claimed.slot_at is not None and claimed.slot_at <= now
        following = {"slot_at": next_slot(claimed.playlist_id, claimed.every, now)} if at_slot else {}
        listing = self._listing(claimed)
        if listing is not None and listing.new_only:
            # It says nothing of the other videos, and no other job begins before it ends: at the next claim.
            return
        membership = memberships.read(self._db, claimed.user_id, claimed.playlist_id)
        if membership is None:
            # Removed since it was claimed, and its document with it.
            return
        done.sources += 1
        video_ids = claimed.overdue(now)
        # If the job of these videos does not end, they are due at the slot.
        slot_at = following.get("slot_at", claimed.slot_at)
        put_off = {each: Again(slot_at) for each in video_ids} if slot_at else {}
        changes = {**following, "waiting": {**claimed.waiting, **put_off}}
        if at_slot:
            changes["late"] = None
        try:
            # Who is shut out costs nothing, and is looked after again once admitted again.
            if not self._admits(claimed.user_id) or listing is not None:
                self._refreshes.end(claimed, **changes)
            elif at_slot and self._is_changed(claimed, membership, done):
                self._start(claimed, [], changes, done)
            elif video_ids:
                self._start(claimed, video_ids, changes, done)
            else:
                self._refreshes.end(claimed, **changes)
        except _NothingLeft:
            # It is due as before, and comes when there is a new budget.
            self._refreshes.end(claimed)
        except (KeyRefused, ConfigError) as error:
            # That says nothing about the source, which is due as before.
            reason = INCOMPLETE if isinstance(error, ConfigError) else str(error)
            self._refreshes.end(claimed, late=reason)
            raise
        except JobFailed as error:
            logs.warning("a source is not refreshed", reason=str(error))
            if isinstance(error, NotVisible):
                links.suspend(self._db, claimed.user_id, claimed.playlist_id)
            if isinstance(error, GrantExpired):
                # Trying costs nothing. So it comes within a day after the person has signed in again.
                changes["slot_at"] = next_slot(claimed.playlist_id, "daily", now)
            self._refreshes.end(claimed, **{**changes, "late": str(error)})

    def _listing(self, source: Refresh) -> Job | None:
        """The active job that lists a source. Jobs of some of its videos go on beside it."""
        found = (job for job in self._jobs.active(source.user_id) if job.playlist_id == source.playlist_id)
        return next((job for job in found if job.whole), None)

    def _is_changed(self, source: Refresh, membership: Membership, done: Refreshed) -> bool:
        """Whether a source has to be listed. The units of the listing are spent, then.

        Raises:
            _NothingLeft: checking and listing it would cost more than is left.
            JobFailed: YouTube does not show it.
        """
        cost = listing_cost(source.videos)
        if cost > self._budget.units:
            raise JobFailed(_TOO_LARGE)
        if cost > self._budget.left():
            raise _NothingLeft
        listed = is_young(membership.listed_at)
        if membership.kind == "collection":
            if not listed:
                self._spend(source, cost, done)
            return not listed
        is_private = membership.privacy == "private"
        try:
            check = self._check(source, is_private=is_private, done=done)
            if listed and check.page.etag == membership.etag:
                return False
        except NotVisible:
            if is_private or self._grants.state(source.user_id) != "ok":
                raise
            # Its owner may have hidden it from others. The job asks in the owner's name, too.
            self._check(source, is_private=True, done=done)
        self._spend(source, cost - 1, done)
        return True

    def _check(self, source: Refresh, *, is_private: bool, done: Refreshed) -> Check:
        """The first page of a playlist as it is now, for 1 unit, or as it was minutes ago."""
        name = source.user_id if is_private else None
        known = self._checks.read(name, source.playlist_id)
        if known is not None and known.fresh:
            return known
        asked_at = clock.now()
        try:
            access_token = self._grants.access_token(source.user_id) if is_private else None
            self._spend(source, 1, done)
            etag = known.page.etag if known else None
            page = self._youtube.first_page(source.playlist_id, access_token, etag=etag)
        except GrantExpired:
            self._grants.expire(source.user_id, asked_at)
            raise
        if page is None:
            assert known is not None, "an etag was sent"
            page = known.page
        return self._checks.save(name, source.playlist_id, page)

    def _spend(self, source: Refresh, units: int, done: Refreshed) -> None:
        if not self._budget.spend(source.user_id, units):
            raise _NothingLeft
        done.units += units

    def _start(
        self, source: Refresh, video_ids: Sequence[str], changes: Mapping[str, Any], done: Refreshed
    ) -> None:
        """Starts a job of the whole source, or of some videos, and ends the claim in the same commit."""

        def commit() -> Commit:
            made = self._refreshes.ending(source, **changes)
            if made is None:
                raise _Overtaken
            return made

        try:
            job, new = self._jobs.start(
                source.user_id, source.playlist_id, video_ids=video_ids, schedule=commit
            )
        except _Overtaken:
            logs.info("no refresh", reason="the source was removed or changed meanwhile")
            return
        if new:
            done.jobs += 1
            publish(self._topics, job)


def in_turn(due: Sequence[Due], spent: Mapping[str, int]) -> Iterator[Due]:
    """Users in turn, beginning with the one who got least today; of each, what was due first before others.

    ``due``: what was due first before others. ``spent``: units of today by user id.
    """
    waiting: dict[str, deque[Due]] = defaultdict(deque)
    for each in due:
        waiting[each.user_id].append(each)
    turn = deque(sorted(waiting, key=lambda user_id: (spent.get(user_id, 0), waiting[user_id][0].due_at)))
    while turn:
        user_id = turn.popleft()
        yield waiting[user_id].popleft()
        if waiting[user_id]:
            turn.append(user_id)


def listing_cost(videos: int) -> int:
    """Units that checking and listing a source costs: its pages, its title, and one page of metadata."""
    return max(1, -(-videos // PAGE)) + 2
