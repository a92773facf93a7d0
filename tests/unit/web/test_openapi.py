"""The API's document is made from what the routes declare, and each route has to declare something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Request, Response
from msgspec import Struct

from infra.pipeline import load_pipeline
from shared.accounts.auth import Caller
from shared.config import Config
from shared.web import openapi
from shared.web.declaration import Undeclared
from shared.web.docs import _THEIRS
from shared.web.routing import Routes
from tests.unit.functions import client, endpoints, load
from tests.unit.stored import accounts_of_ada

DOCUMENT: dict[str, Any] = json.loads(openapi.FILE.read_text(encoding="utf-8"))
OPERATIONS = {
    (method.upper(), path): operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


def test_the_file_is_that_of_the_routes() -> None:
    made = openapi.render(load("web")[1].routes.declarations)
    assert made == openapi.FILE.read_text(encoding="utf-8"), "run scripts/openapi, and commit the file"


def test_every_route_is_described_with_its_callers() -> None:
    found = {
        (method, rule.replace("<", "{").replace(">", "}")): public
        for function in load_pipeline(Config()).functions
        if function.routes
        for method, rule, public in endpoints(function.name)
    }
    assert len(found) > 50
    assert {key: each["security"] == [] for key, each in OPERATIONS.items()} == found
    guests = {path for (_, path), each in OPERATIONS.items() if {"link": []} in each["security"]}
    assert guests == {"/api/link", "/api/search", "/api/suggest", "/api/videos/{video_id}"}


def test_choices_have_a_type_and_an_answer_without_a_body_has_no_content() -> None:
    def choices(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if isinstance(value.get("enum"), list):
                yield value
            value = list(value.values())
        for each in value if isinstance(value, list) else ():
            yield from choices(each)

    found = list(choices(DOCUMENT))
    assert len(found) > 20
    assert {each["type"] for each in found} == {"string"}
    assert "content" not in OPERATIONS["POST", "/mcp"]["responses"]["202"]
    assert "application/json" in OPERATIONS["POST", "/api/index"]["responses"]["202"]["content"]


def test_errors_are_problems_and_named_where_they_occur() -> None:
    for (method, path), operation in OPERATIONS.items():
        errors = {status for status in operation["responses"] if status >= "400"}
        assert "503" in errors
        assert operation["security"] == [] or {"401", "403"} <= errors, (method, path)
        assert "{" not in path or "404" in errors, (method, path)
        assert "requestBody" not in operation or {"400", "413"} <= errors, (method, path)
    for response in DOCUMENT["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]


def test_programs_find_out_how_to_speak_to_a_model() -> None:
    operation = OPERATIONS["POST", "/mcp"]
    assert operation["security"] == [{"token": []}]
    assert operation["requestBody"]["required"]
    assert {"400", "401", "403", "406", "413"} <= set(operation["responses"])


def test_an_answer_with_an_etag_may_be_not_modified() -> None:
    for path in ("/api/docs", "/api/openapi.json", "/api/feeds/{token}.atom", "/api/feeds/{token}.json"):
        assert "304" in OPERATIONS["GET", path]["responses"], path


def _examples(schema: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(schema, dict):
        yield from ((schema, each) for each in schema.get("examples", ()))
        for each in schema.values():
            yield from _examples(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _examples(each)


def test_each_example_fits_its_schema() -> None:
    found = list(_examples(DOCUMENT))
    assert len(found) > 30
    for schema, example in found:
        jsonschema_rs.validate({**schema, "components": DOCUMENT["components"]}, example)


def test_the_page_loads_nothing_from_elsewhere_and_has_nothing_inline() -> None:
    with client("health") as web:
        page = web.get("/api/docs")
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "<style" not in page.text
        assert page.text.count("<script") == page.text.count('<script src="/api/docs/') == 2
        for name in ("start.js", *_THEIRS):
            assert f"/api/docs/{name}" in page.text
            answer = web.get(f"/api/docs/{name}")
            assert (answer.status_code, bool(answer.data)) == (200, True)
            again = web.get(f"/api/docs/{name}", headers={"If-None-Match": answer.headers["ETag"]})
            assert again.status_code == 304
        assert web.get("/api/docs/..%2fmain.py").status_code == 404
        assert web.get("/api/openapi.json").get_json() == DOCUMENT


class _Wanted(Struct):
    q: str = ""


def _nothing(request: Request, caller: Caller) -> Response:
    return Response(status=204)


def _anything(request: Request, caller: Caller) -> dict[str, Any]:
    """Says what it is for, and not what it answers."""
    return {}


def _a_file(request: Request, caller: Caller) -> Response:
    """A file of an unknown type."""
    return Response("text")


def _query(request: Request, caller: Caller, query: dict[str, str]) -> Response:
    """Takes anything."""
    return Response(status=204)


@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (_nothing, "docstring"),
        (_anything, "type of its answer"),
        (_a_file, "media types"),
        (_query, "a Struct"),
    ],
)
def test_a_route_that_declares_too_little_is_refused(handler: Any, problem: str) -> None:
    routes = Routes(Config(), accounts_of_ada())
    with pytest.raises(Undeclared, match=f"GET /api/x: expected .*{problem}"):
        routes.get("/api/x", status=204 if handler is _nothing or handler is _query else 200)(handler)


def test_two_routes_have_two_names() -> None:
    routes = Routes(Config(), accounts_of_ada())

    def same(request: Request, caller: Caller, query: _Wanted) -> Response:
        """Does nothing."""
        return Response(status=204)

    routes.delete("/api/x")(same)
    routes.delete("/api/y")(same)
    with pytest.raises(ValueError, match="another route has the name same"):
        openapi.document(routes.declarations)
