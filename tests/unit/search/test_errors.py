"""Errors of Elasticsearch, recorded from version 8.19, are told apart by type and status."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import Transient
from shared.search.errors import SearchRefused, error_from

NO_INDEX = {"type": "index_not_found_exception", "reason": "no such index [yts-videos]", "status": 404}
POINT_IN_TIME_GONE = {
    "root_cause": [{"type": "search_context_missing_exception", "reason": "No search context found"}],
    "type": "search_phase_execution_exception",
    "reason": "all shards failed",
    "failed_shards": [
        {"shard": 0, "reason": {"type": "search_context_missing_exception", "reason": "No search context"}}
    ],
    "status": 404,
}
TOO_COSTLY = {
    "root_cause": [{"type": "illegal_argument_exception", "reason": "Query rewrite failed"}],
    "type": "search_phase_execution_exception",
    "reason": "all shards failed",
    "caused_by": {
        "type": "illegal_argument_exception",
        "reason": "Query rewrite failed: too many clauses",
        "caused_by": {"type": "too_many_nested_clauses", "reason": "maxClauseCount is set to 7904"},
    },
    "status": 400,
}
TOO_COSTLY_TO_MARK = {
    "root_cause": [{"type": "too_many_nested_clauses", "reason": "maxClauseCount is set to 7904"}],
    "type": "search_phase_execution_exception",
    "reason": "all shards failed",
    "status": 500,
}
BAD_CURSOR = {
    "type": "search_phase_execution_exception",
    "reason": "all shards failed",
    "caused_by": {"type": "illegal_argument_exception", "reason": "search_after has 3 value(s)"},
    "status": 400,
}


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (NO_INDEX, {"no_index", "gone"}),
        (POINT_IN_TIME_GONE, {"gone"}),
        (TOO_COSTLY, {"too_costly"}),
        (TOO_COSTLY_TO_MARK, {"too_costly"}),
        (BAD_CURSOR, set()),
    ],
)
def test_a_refused_search_says_why(error: dict[str, Any], means: set[str]) -> None:
    refused = error_from(error)
    assert isinstance(refused, SearchRefused)
    assert {name for name in ("no_index", "gone", "too_costly") if getattr(refused, name)} == means


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 503])
def test_a_server_that_is_overloaded_or_unavailable_is_asked_again(status: int) -> None:
    error = error_from({"type": "es_rejected_execution_exception", "reason": "busy", "status": status})
    assert isinstance(error, Transient)


def test_the_sentence_names_no_server_and_the_detail_does() -> None:
    error = error_from(NO_INDEX)
    assert str(error) == "The search index does not accept this."
    assert error.detail == (
        "Elasticsearch: status 404, index_not_found_exception: no such index [yts-videos]"
    )
