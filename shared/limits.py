"""How often one user may start jobs, or have them go another round: each costs quota that all users share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from shared import clock, config, documents, jobs, rounds
from shared.documents import Commit, Snapshot, retried
from shared.errors import TooMany
from shared.jobs import Job

_WINDOW = timedelta(hours=1)
#: Seconds until it is worth trying again when jobs have to end first.
_WHILE_BUSY = 60


def start(user_id: str, playlist_id: str) -> tuple[Job, bool]:
    """As :func:`shared.jobs.start`, for a person.

    Raises:
        TooMany: the user has started, or has active, as many as anybody may.
    """
    # Read with what the start reads: a person waits for it.
    return jobs.start(user_id, playlist_id, beside=[_path(user_id)], within=partial(_take, user_id))


def retry(job: Job) -> None:
    """As :func:`shared.rounds.retry`, for a person. Raises as :func:`start`."""

    def take() -> None:
        commit = Commit()
        _take(job.user_id, commit, documents.read(_path(job.user_id)))
        commit.run()

    if not job.active:
        retried(take)
    rounds.retry(job)


def forget(user_id: str) -> None:
    Commit().delete(_path(user_id)).run()


def _take(user_id: str, commit: Commit, read: Sequence[Snapshot]) -> None:
    """Notes one start in ``commit``: a Conflict, if another was noted meanwhile. Raises as :func:`start`."""
    (starts,) = read
    settings = config.load()
    now = clock.now()
    # The jobs are counted after ``starts`` was read. If another start commits after the count, it has changed
    # ``starts``, and this commit is a Conflict.
    active = len(jobs.active(user_id))
    if active >= settings.jobs_at_once:
        raise TooMany(f"{active} of your playlists are being indexed: wait until one is done.", _WHILE_BUSY)
    known: list[datetime] = (starts.data or {}).get("at", [])
    recent = sorted(time for time in known if time > now - _WINDOW)
    if len(recent) >= settings.jobs_per_hour:
        wait = max(1, -int(-(recent[0] + _WINDOW - now).total_seconds() // 1))
        minutes = -(-wait // 60)
        raise TooMany(
            f"You have started {len(recent)} jobs within an hour: go on in {minutes} minutes.", wait
        )
    fields = {"at": [*recent, now]}
    if starts.update_time is None:
        commit.create(_path(user_id), fields)
    else:
        commit.update(_path(user_id), fields, unchanged_since=starts.update_time)


def _path(user_id: str) -> str:
    return f"starts/{user_id}"
