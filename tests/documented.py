"""Checks answers by the API's document, so that the document cannot lie.

Every answer that a test gets through tests/stack.py is checked. It has to have a status and a media type that
the document names, and JSON of exactly the declared fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import requests

from shared.web.openapi import FILE

PROBLEM = "application/problem+json"
#: Answers that any request may get: of the gateway, and of a path or method that does not exist.
_ANYWHERE = (404, 405, 413, 503, 504)


def check_answer(answer: requests.Response) -> None:
    """Raises AssertionError when the document does not say that there is such an answer."""
    method, path = str(answer.request.method), urlsplit(answer.request.url or "").path
    if not path.startswith("/api/") or method == "HEAD" or answer.is_redirect:
        return
    where = f"{method} {path} answered {answer.status_code}"
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    declared = _contents(method, path)
    contents = declared.get(str(answer.status_code))
    if contents is None:
        assert answer.status_code in _ANYWHERE, f"{where}; expected one of {', '.join(declared)}"
        contents = {PROBLEM: {"$ref": "#/components/schemas/Problem"}}
    if not contents:
        assert not answer.content, f"{where} with {kind}; expected nothing"
        return
    assert kind in contents, f"{where} with {kind}; expected one of {', '.join(contents)}"
    if kind in ("application/json", PROBLEM) and contents[kind]:
        validator = _validator(json.dumps(contents[kind]))
        errors = [f"{each.instance_path}: {each.message}" for each in validator.iter_errors(answer.json())]
        assert errors == [], f"{where}, which is not as declared: {errors[:3]}"


@cache
def _document() -> dict[str, Any]:
    document = json.loads(FILE.read_text(encoding="utf-8"))
    for schema in document["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return dict(document)


@cache
def _operations() -> list[tuple[str, re.Pattern[str], Mapping[str, Any]]]:
    """Method, pattern of the path, and responses. Fixed paths come before those with variables."""
    return [
        (method.upper(), re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), operation["responses"])
        for path, item in sorted(_document()["paths"].items(), key=lambda each: "{" in each[0])
        for method, operation in item.items()
    ]


def _contents(method: str, path: str) -> dict[str, dict[str, Any]]:
    """Status → media type → schema. Empty for a request that is not declared."""
    for wanted, pattern, responses in _operations():
        if wanted == method and pattern.fullmatch(path.rstrip("/")):
            contents = {status: _resolved(each).get("content", {}) for status, each in responses.items()}
            return {
                status: {kind: media.get("schema", {}) for kind, media in content.items()}
                for status, content in contents.items()
            }
    return {}


def _resolved(response: Mapping[str, Any]) -> Mapping[str, Any]:
    name = response.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = _document()["components"]["responses"][name] if name else response
    return found


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": _document()["components"]})
