"""Translates errors of Elasticsearch into ours, by their status and their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from elasticsearch import ApiError, TransportError

from shared.errors import DeliveryError, Permanent, Transient

_NO_ANSWER = "The search index did not answer."
_BUSY = "The search index is overloaded or unavailable."
_REFUSED = "The search index does not accept this."
OUTDATED = "The search index was made by another version and has to be rebuilt. An operator can do that."
#: Lucene's limit of clauses. While Elasticsearch marks matches, it answers this with status 500.
_TOO_MANY_CLAUSES = frozenset({"too_many_clauses", "too_many_nested_clauses"})


class SearchRefused(Permanent):
    """Elasticsearch refused a request or a document, and would refuse it again.

    ``status``: its HTTP status. ``types``: the types of the error and of its causes
    (https://www.elastic.co/guide/en/elasticsearch/reference/8.19/common-options.html).
    """

    def __init__(self, status: int, types: frozenset[str], detail: str) -> None:
        super().__init__(_REFUSED, detail=detail)
        self.status = status
        self.types = types

    @property
    def no_index(self) -> bool:
        """The index, or the alias, does not exist: nothing has been indexed yet."""
        return "index_not_found_exception" in self.types

    @property
    def gone(self) -> bool:
        """The point in time is no longer kept."""
        return self.status == 404

    @property
    def too_costly(self) -> bool:
        """The query has more clauses than the memory of the server allows."""
        return not _TOO_MANY_CLAUSES.isdisjoint(self.types)


def _passes(status: int) -> bool:
    # 401 and 403: while a key is rotated. That is no fault of the document.
    return status in (401, 403, 408, 429) or status >= 500


def error_from(error: Mapping[str, Any]) -> DeliveryError:
    """Translates an error of a request or of a document: ``{"status", "type", "reason", "caused_by"}``."""
    status = int(error["status"])
    detail = f"Elasticsearch: status {status}, {error.get('type')}: {error.get('reason')!s:.500}"
    types = frozenset(_types(error))
    if "strict_dynamic_mapping_exception" in types:
        # The document has a field that this index does not have. It is accepted after the rebuild.
        return Transient(OUTDATED, detail=detail)
    if _passes(status) and _TOO_MANY_CLAUSES.isdisjoint(types):
        return Transient(_BUSY, detail=detail)
    return SearchRefused(status, types, detail)


def _types(error: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(error.get("type"), str):
        yield error["type"]
    for name in ("caused_by", "root_cause", "failed_shards", "reason"):
        inner = error.get(name)
        for each in inner if isinstance(inner, list) else [inner]:
            if isinstance(each, dict):
                yield from _types(each)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turns errors of the client into Transient (no answer, overloaded) or SearchRefused."""
    try:
        yield
    except ApiError as error:
        info = error.body if isinstance(error.body, dict) else {}
        details = info.get("error", {})
        if not isinstance(details, dict):
            details = {"reason": str(details)}
        raise error_from({"type": error.message, **details, "status": error.meta.status}) from error
    except TransportError as error:
        detail = f"Elasticsearch: {type(error).__name__}: {error.message:.200}"
        raise Transient(_NO_ANSWER, detail=detail) from error
