"""The API's document (https://spec.openapis.org/oas/v3.1.1), made from what the routes declare.

The document is stored as a file beside this module, so that no function has to import all others to serve it,
and so that a change of the API is seen as such. ``scripts/openapi`` writes it; a test compares it with the
routes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from shared import __version__
from shared.declared import commas, is_list
from shared.errors import RequestError, TooMany, Unauthenticated, Unavailable
from shared.web.cookies import NAME
from shared.web.declaration import Declaration
from shared.web.problems import Problem

FILE = Path(__file__).with_name("openapi.json")
_REF = "#/components/schemas/{name}"
_ABOUT = """
Everything said in the YouTube videos you keep, searchable to the second.

Programs send an API token in the header `Authorization: Bearer TOKEN`. Make one on the page, under your name,
or with `POST /api/tokens`. What belongs to another user is answered with 404, as if it did not exist. Times
are RFC 3339 in UTC. Errors are `application/problem+json`; their `detail` says what to do.
"""
_SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": NAME,
        "description": (
            "The cookie of a browser after `GET /api/login`. What changes something has to come from a page"
            " of this site."
        ),
    },
    "link": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a read-only link, for guests: they find one source of its owner.",
    },
}
#: Headers of errors.
_HEADERS: dict[type[RequestError], dict[str, Any]] = {
    Unauthenticated: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    TooMany: {
        "Retry-After": {
            "description": "Seconds. Missing if the same request never succeeds.",
            "schema": {"type": "integer"},
        }
    },
    Unavailable: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}
_STATUS = {
    200: "What was asked for.",
    201: "It was made.",
    202: "It was started.",
    204: "It is done. There is nothing to answer.",
    302: "The way goes on at the address in Location.",
    304: "Nothing has changed since the answer with this ETag.",
}


def render(declarations: Iterable[Declaration]) -> str:
    """The file."""
    return json.dumps(document(declarations), indent=1, ensure_ascii=False) + "\n"


def document(declarations: Iterable[Declaration]) -> dict[str, Any]:
    """Raises ValueError when two routes have the same name."""
    shown = sorted(declarations, key=lambda each: each.rule)
    types = [
        Problem,
        *(each.answer for each in shown if each.answer),
        *(each.body for each in shown if each.body),
    ]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    names: set[str] = set()
    for each in shown:
        if each.name in names:
            raise ValueError(f"{each.method} {each.rule}: another route has the name {each.name}, too")
        names.add(each.name)
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    errors = {error for each in shown for error in each.errors}
    return {
        "openapi": "3.1.1",
        "info": {"title": "yts", "version": __version__, "description": _ABOUT.strip()},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {name: _cleaned(schema) for name, schema in sorted(schemas.items())},
            "responses": {
                each.__name__: _error(each) for each in sorted(errors, key=lambda each: each.status)
            },
            "securitySchemes": _SECURITY,
        },
    }


def _operation(declared: Declaration, schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, description = declared.description.partition("\n\n")
    access = declared.access
    operation: dict[str, Any] = {
        "operationId": declared.name,
        "tags": [declared.rule.removeprefix("/api").split("/")[1].split(".")[0]],
        "summary": " ".join(summary.split()),
        **({"description": description} if description else {}),
        "security": []
        if access.public
        else [{"token": []}, *([{"session": []}] * (not access.programs)), *([{"link": []}] * access.guests)],
    }
    parameters = [
        {"name": name, "in": "path", "required": True, **_parameter(_schema(hint, schemas))}
        for name, hint in declared.variables.items()
    ]
    for each in declared.query.fields if declared.query else ():
        schema = _without_null(_schema(each.type, schemas))
        if each.default not in (msgspec.NODEFAULT, None, ()):
            schema["default"] = each.default
        listed = {"style": "form", "explode": not commas(each.type)} if is_list(each.type) else {}
        parameters.append(
            {
                "name": each.encode_name,
                "in": "query",
                "required": each.required,
                **listed,
                **_parameter(schema),
            }
        )
    if parameters:
        operation["parameters"] = parameters
    if declared.body:
        operation["requestBody"] = {
            "required": not declared.body_optional,
            "content": {"application/json": {"schema": _schema(declared.body, schemas)}},
        }
    answers = {str(status): _answer(declared, status, schemas) for status in sorted(declared.statuses)}
    for error in declared.errors:
        known = answers.get(str(error.status))
        if known is None:
            answers[str(error.status)] = {"$ref": f"#/components/responses/{error.__name__}"}
        else:
            known["content"] |= _error(error)["content"]
    return {**operation, "responses": answers}


def _answer(declared: Declaration, status: int, schemas: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _STATUS.get(status, "See the description.")}
    if status == 302:
        answer["headers"] = {"Location": {"schema": {"type": "string", "format": "uri-reference"}}}
    if status in (204, 302, 304):
        return answer
    if status == 202 and declared.answer is None:
        return {"description": "It was taken. There is nothing to answer."}
    content: dict[str, Any] = {}
    if declared.answer:
        content["application/json"] = {"schema": _schema(declared.answer, schemas)}
    for kind in declared.files:
        content[kind] = {"schema": {"type": "string"}} if "json" not in kind else {}
    return {**answer, "content": content}


def _error(error: type[RequestError]) -> dict[str, Any]:
    doc = error.__doc__ if "__doc__" in vars(error) and error.__doc__ else ""
    content = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    headers = {"headers": _HEADERS[error]} if error in _HEADERS else {}
    return {"description": f"{error.title}. {cleandoc(doc)}".strip(), **headers, "content": content}


def _schema(hint: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    (schema,), more = msgspec.json.schema_components([hint], ref_template=_REF)
    for name, each in more.items():
        schemas.setdefault(name, each)
    return schema


def _parameter(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's description stands beside its schema."""
    schema = _cleaned(schema)
    description = schema.pop("description", None)
    return {**({"description": description} if description else {}), "schema": schema}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be missing cannot be null."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        schema = {**kinds[0], **{name: value for name, value in schema.items() if name != "anyOf"}}
    return schema


def _cleaned(schema: Any) -> Any:
    """Without the indentation of docstrings, and with the type of choices: generators of clients need it."""
    if isinstance(schema, dict):
        kind = {"type": "string"} if _is_choice(schema) else {}
        return kind | {
            name: cleandoc(value).replace("``", "`")
            if name == "description" and isinstance(value, str)
            else _cleaned(value)
            for name, value in schema.items()
        }
    return [_cleaned(each) for each in schema] if isinstance(schema, list) else schema


def _is_choice(schema: dict[str, Any]) -> bool:
    """Whether it is one of several texts. (A property may be called "enum", too.)"""
    choices = schema.get("enum")
    return isinstance(choices, list) and all(isinstance(each, str) for each in choices)
