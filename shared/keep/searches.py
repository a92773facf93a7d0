"""Saved searches: each remembers its hits, and knows which of them are new.

A saved search is looked at again when somebody reads it and the library has changed since: a playlist came,
went or was indexed, or a job ended. So it needs no schedule. Only the ids of its hits are asked for.

A hit is new from the moment when it is first found until the person has seen it. What is found between the
answer that the person saw and the request that says so stays new: that request names the time of the answer.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic
from typing import Annotated, Any, TypedDict

from msgspec import Meta, Struct, structs

from shared import clock, logs
from shared.declared import Time
from shared.errors import BadRequest, Busy, NotFound, Transient
from shared.gcp.documents import Commit
from shared.gcp.firestore import Firestore, delete_all, retry_on_conflict
from shared.keep.saved import NO_QUERY, QUERY_LENGTH, Arguments, SavedSearch, SearchView, saved_from
from shared.library.memberships import titles_and_state
from shared.library.placement import placing
from shared.messages import is_id
from shared.pipeline.jobs import Jobs
from shared.search.params import Params
from shared.search.service import Search

#: Saved searches of a user.
MAXIMUM = 100
_TITLE_LENGTH = 100
_NO_TITLE = f"title: expected 1 to {_TITLE_LENGTH} characters."
_NO_TIME = "checked_at: expected that of the saved search, such as 2024-01-31T12:00:00.000Z."
Title = Annotated[
    str, Meta(min_length=1, max_length=_TITLE_LENGTH, examples=["Black holes"], extra={"sentence": _NO_TITLE})
]
#: Half a surrogate pair: JSON can carry it, UTF-8 cannot.
_HALF = re.compile(r"[\ud800-\udfff]")
#: Jobs whose end is noticed. Most change their playlist, which is noticed anyway; that of a video does not.
_JOBS = 20
#: Seconds for looking at saved searches of a user again: a person waits. The next reading continues.
_BUDGET = 2.0

#: What to change in a document of a saved search. It may add more writes to the commit.
Decide = Callable[[SavedSearch, Commit], Mapping[str, Any]]


class NewSearch(Struct):
    query: Annotated[
        str,
        Meta(
            max_length=QUERY_LENGTH,
            description="The parameters of `GET /api/search`, as a query string.",
            examples=["q=black+hole&playlist=PLyts-sample-talks"],
            extra={"sentence": NO_QUERY},
        ),
    ]
    title: Title | None = None


class NewTitle(Struct):
    title: Title


class SeenUntil(Struct):
    checked_at: (
        Annotated[
            Time,
            Meta(
                description="That of the answer whose new hits you have seen; null: all that are stored.",
                extra={"sentence": _NO_TIME},
            ),
        ]
        | None
    ) = None


class SearchList(TypedDict):
    """Saved searches, by title."""

    searches: list[SearchView]


class Searches:
    """The saved searches of all users."""

    def __init__(self, db: Firestore, search: Search) -> None:
        self._db = db
        self._search = search
        self._jobs = Jobs(db)

    def save(self, user_id: str, query: str, title: str | None = None) -> SearchView:
        """Saves a search, as `POST /api/searches` answers it.

        Raises:
            BadRequest: the query or the title is not valid, or the query finds too much.
            Busy: the user has saved it already, or has too many saved searches.
        """
        arguments = Arguments(query)
        params = Params.from_request(arguments)
        name = None if title is None else _title(title)
        kept = list(self._db.query(_collection(user_id), fields=["title", "query"]))
        same = [
            each.data["title"]
            for each in kept
            if each.data and Arguments(each.data["query"]).filters == arguments.filters
        ]
        if same:
            raise Busy(f"You have saved this search already, as “{same[0]}”.")
        if len(kept) >= MAXIMUM:
            raise Busy(f"You have {MAXIMUM} saved searches, and there cannot be more. Delete one first.")
        titles, library = self._library(user_id)
        hits = self._ids(user_id, titles, params)
        name = name or _default_title(params, titles)
        saved = SavedSearch.begin(secrets.token_hex(8), name, arguments.text, library, hits)
        self._db.commit().create(_path(user_id, saved.search_id), saved.stored()).run()
        return saved.view(titles)

    def _ids(self, user_id: str, titles: Mapping[str, str], params: Params) -> list[str]:
        """The hits are kept in no order, so the library need not be asked for one."""
        params = structs.replace(params, sort="relevance")
        return self._search.ids(user_id, titles, params, placing(self._db, user_id, params))

    def list(self, user_id: str) -> SearchList:
        """All saved searches by title, as `GET /api/searches` answers them."""
        deadline = monotonic() + _BUDGET
        kept = [saved for each in self._db.query(_collection(user_id)) if (saved := saved_from(each))]
        if not kept:
            return {"searches": []}
        titles, library = self._library(user_id)
        # First those that were not looked at for longest, so that each has its turn.
        kept.sort(key=lambda each: each.checked_at)
        checked = (
            self._checked(user_id, each, titles, library) if monotonic() < deadline else each for each in kept
        )
        shown = [each.view(titles) for each in checked if each is not None]
        shown.sort(key=lambda each: (each["title"].casefold(), each["id"]))
        return {"searches": shown}

    def read(self, user_id: str, search_id: str) -> SavedSearch:
        """As it was last looked at. Raises NotFound."""
        return read(self._db, user_id, search_id)

    def look(self, user_id: str, search_id: str) -> tuple[SavedSearch, Mapping[str, str]]:
        """One saved search, looked at again, and the titles of the library. Raises NotFound."""
        saved = self.read(user_id, search_id)
        titles, library = self._library(user_id)
        return self._checked(user_id, saved, titles, library) or saved, titles

    def rename(self, user_id: str, search_id: str, title: str) -> SearchView:
        """Raises BadRequest and NotFound."""
        name = _title(title)
        return self._view(user_id, self.change(user_id, search_id, lambda saved, commit: {"title": name}))

    def see(self, user_id: str, search_id: str, until: str | None) -> SearchView:
        """Takes new hits for seen: those that were found until then, or all that are stored (None).

        ``until``: the `checked_at` of the answer that the person has seen.

        Raises:
            BadRequest: that is no time.
            NotFound: there is no such search.
        """
        time = clock.parse(until)
        if until is not None and time is None:
            raise BadRequest(_NO_TIME)
        changed = self.change(user_id, search_id, lambda saved, commit: {"seen_at": saved.seen(time)})
        return self._view(user_id, changed)

    def delete(self, user_id: str, search_id: str) -> None:
        """Deletes a saved search, and with it its feed. Raises NotFound."""
        saved = self.read(user_id, search_id)
        commit = self._db.commit().delete(_path(user_id, search_id))
        if saved.feed is not None:
            commit.delete(feed_path(saved.feed))
        commit.run()

    def change(self, user_id: str, search_id: str, decide: Decide) -> SavedSearch:
        """Changes a saved search as ``decide`` says, whatever else changes it meanwhile. Raises NotFound."""

        def attempt() -> SavedSearch:
            saved = self.read(user_id, search_id)
            commit = self._db.commit()
            changes = decide(saved, commit)
            commit.update(_path(user_id, search_id), changes, unchanged_since=saved.update_time).run()
            return replace(saved, **changes)

        return retry_on_conflict(attempt)

    def _view(self, user_id: str, saved: SavedSearch) -> SearchView:
        return saved.view(self._library(user_id)[0])

    def _library(self, user_id: str) -> tuple[Mapping[str, str], str]:
        """The titles of the library, and a text that changes when the hits of a search may have changed."""
        titles, state = titles_and_state(self._db, user_id)
        ended = [
            f"{job.job_id}:{job.finished_at}" for job in self._jobs.recent(user_id, _JOBS) if job.finished_at
        ]
        return titles, hashlib.sha256(" ".join([state, *ended]).encode()).hexdigest()

    def _checked(
        self, user_id: str, saved: SavedSearch, titles: Mapping[str, str], library: str
    ) -> SavedSearch | None:
        """Looked at again, if the library has changed. None if the search was deleted meanwhile.

        If the search index does not answer, it stays as it is stored: the next reading looks again.
        """
        if saved.library == library:
            return saved
        path = _path(user_id, saved.search_id)

        def attempt() -> SavedSearch | None:
            # The document first: then the hits are never older than those that it knows.
            now = saved_from(self._db.read(path)[0])
            if now is None or now.library == library:
                return now
            try:
                found = now.with_hits(self._ids(user_id, titles, now.params), library)
            except BadRequest as error:
                found = replace(now, library=library, refused=str(error))
            self._db.commit().update(path, found.stored(), unchanged_since=now.update_time).run()
            return found

        try:
            return retry_on_conflict(attempt)
        except Transient as error:
            logs.warning("a saved search could not be looked at", error)
            return saved


def read(db: Firestore, user_id: str, search_id: str) -> SavedSearch:
    """A saved search as it was last looked at. Raises NotFound."""
    saved = saved_from(db.read(_path(user_id, search_id))[0]) if is_id(search_id) else None
    if saved is None:
        raise NotFound("There is no such saved search.")
    return saved


def forget(db: Firestore, user_id: str) -> None:
    """Deletes all saved searches of a user. Their feeds go first, because others may read them."""
    delete_all(db, "feeds", ("user_id", "==", user_id))
    delete_all(db, _collection(user_id))


def _collection(user_id: str) -> str:
    return f"users/{user_id}/searches"


def _path(user_id: str, search_id: str) -> str:
    return f"users/{user_id}/searches/{search_id}"


def feed_path(token_hash: str) -> str:
    return f"feeds/{token_hash}"


def _title(title: str) -> str:
    if not 0 < len(title.strip()) <= _TITLE_LENGTH or _HALF.search(title):
        raise BadRequest(_NO_TITLE)
    return title.strip()


def _default_title(params: Params, titles: Mapping[str, str]) -> str:
    """The words of the search. Without words, it finds all videos that its filters let pass."""
    sources = ", ".join(titles[each] for each in params.playlists if titles.get(each))
    return " ".join((params.q or sources).split())[:_TITLE_LENGTH].strip() or "All videos"
