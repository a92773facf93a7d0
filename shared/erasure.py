"""Erasing a user: the grant at Google, sessions, tokens, jobs, library, profile.

A note that it was asked for is written first and removed last. Whoever dies in between, the sweep goes
on; every step can be repeated, and deletes what leads to a thing after the thing. Transcripts stay:
they belong to nobody, and nobody finds one without a playlist in a library.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from shared import (
    auth,
    clock,
    documents,
    grants,
    jobs,
    library,
    limits,
    logs,
    own_playlists,
    profiles,
    sessions,
)
from shared.documents import Commit
from shared.errors import Transient

#: Seconds one call works on it (the function has thirty); the next one goes on.
_BUDGET = 20.0
#: Documents deleted in one commit.
_A_COMMIT = 400


def erase(user_id: str) -> None:
    """From here on nobody is this user any more, and what is left of them goes, now or within minutes.

    Raises:
        Transient: it could not even be noted.
    """
    Commit().set(_path(user_id), {"requested_at": clock.now()}).run()
    resume(user_id, strict=False)


def resume(user_id: str, *, strict: bool = True) -> None:
    """Goes on with an erasure that was begun; does nothing where none was.

    Raises:
        Transient: something of it could not be done yet, and ``strict``.
    """
    if documents.read(_path(user_id))[0].data is None:
        return
    until = monotonic() + _BUDGET
    steps: list[Callable[[], None]] = [
        lambda: sessions.forget(user_id),
        lambda: auth.forget(user_id),
        lambda: _erase_jobs(user_id, until),
        # After the jobs: a planner at work writes memberships of a job that exists only.
        lambda: library.erase(user_id),
        lambda: own_playlists.forget(user_id),
        lambda: limits.forget(user_id),
        lambda: grants.revoke(user_id),
        lambda: _delete(profiles.path(user_id)),
    ]
    failed: Transient | None = None
    for step in steps:
        try:
            step()
        except Transient as error:
            # What can go, goes, whichever server is away.
            failed = error
    if failed is None:
        _delete(_path(user_id))
        logs.info("a user is erased")
    elif strict:
        raise failed
    else:
        logs.warning("a user is not erased completely yet", reason=str(failed))


def resume_all() -> int:
    """Goes on with all erasures that are not complete; how many there were."""
    found = [snapshot.id for snapshot in documents.query("erasures", fields=["requested_at"])]
    for user_id in found:
        resume(user_id, strict=False)
    return len(found)


def _erase_jobs(user_id: str, until: float) -> None:
    found = documents.query("jobs", ("user_id", "==", user_id), fields=["playlist_id"])
    for snapshot in list(found):
        jobs.cancel(snapshot.id)
        for part in ("ledger", "counters"):
            _delete_all(f"{snapshot.path}/{part}", until)
        # Last, because it leads to the others. Nothing is added to them without it.
        _delete(snapshot.path)
        _delete_all(f"{snapshot.path}/ledger", until)


def _delete_all(collection: str, until: float) -> None:
    while True:
        paths = [found.path for found in documents.query(collection, limit=_A_COMMIT, fields=["state"])]
        if not paths:
            return
        if monotonic() > until:
            raise Transient("There is more to erase than fits into one go.")
        commit = Commit()
        for path in paths:
            commit.delete(path)
        commit.run()


def _delete(path: str) -> None:
    Commit().delete(path).run()


def _path(user_id: str) -> str:
    return f"erasures/{user_id}"
