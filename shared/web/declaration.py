"""What a route takes and answers, read from the signature and the docstring of its handler.

::

    @routes.get("/api/jobs/<job_id>/videos")
    def list_job_videos(request: Request, caller: Caller, job_id: JobId, query: VideosOfJob) -> JobVideos:
        \"""The videos of a job.\"""

``query`` and ``body`` are Structs (see :mod:`shared.declared`), the answer is a TypedDict. A handler that
answers files returns a Response, and its route names their media types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from flask import Request, Response
from msgspec import Struct, to_builtins

from shared.declared import Parameters, fields, read_object
from shared.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    RequestError,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


class Undeclared(TypeError):
    """A handler does not say what it takes, or what it answers. The function must not start."""


@dataclass(frozen=True, slots=True)
class Access:
    """``public``: for everybody. ``operators``: for nobody else. ``guests``: for them, too.

    ``programs``: a cookie is not enough, only a token.
    """

    public: bool = False
    operators: bool = False
    guests: bool = False
    programs: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """One route.

    ``statuses``: of answers that are no errors, the usual one first. ``answer``: the type of the JSON; None
    if there is none. ``files``: media types of files. ``raises``: errors of the handler itself.
    """

    method: str
    rule: str
    name: str
    description: str
    access: Access
    variables: Mapping[str, Any]
    query: Parameters[Any] | None
    body: type[Struct] | None
    body_optional: bool
    answer: Any
    statuses: Sequence[int]
    files: Sequence[str]
    raises: Sequence[type[RequestError]]

    @property
    def path(self) -> str:
        """The rule as a template of OpenAPI."""
        return _VARIABLE.sub(r"{\1}", self.rule)

    @property
    def errors(self) -> list[type[RequestError]]:
        """All errors with which the route may answer, by status."""
        found: set[type[RequestError]] = {Unavailable, *self.raises}
        if not self.access.public:
            found |= {Unauthenticated, Forbidden}
        if self.access.guests:
            found.add(TooMany)
        if self.query or self.body:
            found.add(BadRequest)
        if self.body:
            found.add(TooLarge)
        if self.variables or self.access.operators:
            found.add(NotFound)
        return sorted(found, key=lambda each: each.status)

    def read(self, request: Request) -> dict[str, Struct | None]:
        """What the handler takes from a request. Raises BadRequest and RequestEntityTooLarge."""
        arguments: dict[str, Struct | None] = {}
        if self.query is not None:
            arguments["query"] = self.query.read(request.args)
        if self.body is not None:
            data = request.get_data()
            arguments["body"] = None if self.body_optional and not data else read_object(self.body, data)
        return arguments

    def answered(self, answer: Any) -> Any:
        """What a handler returned, with its status."""
        if isinstance(answer, Response):
            return answer
        shown, status = answer if isinstance(answer, tuple) else (answer, self.statuses[0])
        return to_builtins(shown), status


def declare(
    method: str,
    rule: str,
    handler: Callable[..., Any],
    access: Access,
    *,
    status: int | Sequence[int],
    files: Sequence[str],
    raises: Sequence[type[RequestError]],
) -> Declaration:
    """Raises Undeclared."""

    def refuse(problem: str) -> NoReturn:
        raise Undeclared(f"{method} {rule}: {problem} (in {handler.__name__})")

    if not handler.__doc__:
        refuse("expected a docstring that says what it is for, found none")
    hints = get_type_hints(handler, include_extras=True)
    answers = _alternatives(hints.get("return"))
    typed = [each for each in answers if each not in (Response, NoReturn)]
    if not answers or len(typed) > 1 or any(each is Any or get_origin(each) is dict for each in typed):
        refuse(f"expected a declared type of its answer, found {hints.get('return')}")
    statuses = (status,) if isinstance(status, int) else tuple(status)
    if not typed and not files and any(each < 300 and each != 204 for each in statuses):
        refuse("expected the media types of its files, found none")
    query, body = _alternatives(hints.get("query")), _alternatives(hints.get("body"))
    for each in (*query, *body):
        if each is type(None):
            continue
        if not (isinstance(each, type) and issubclass(each, Struct)):
            refuse(f"expected a Struct, found {each}")
        fields(each)
    return Declaration(
        method,
        rule,
        handler.__name__,
        cleandoc(handler.__doc__),
        access,
        {name: hints.get(name, str) for name in _VARIABLE.findall(rule)},
        Parameters(query[0]) if query else None,
        body[0] if body else None,
        type(None) in body,
        typed[0] if typed else None,
        statuses,
        files,
        raises,
    )


def _alternatives(hint: Any) -> list[Any]:
    """The parts of a union; of a type that comes with a status, the type."""
    if hint is None:
        return []
    if get_origin(hint) is tuple:
        return [get_args(hint)[0]]
    if type(None) in get_args(hint) or Response in get_args(hint):
        return list(get_args(hint))
    return [hint]
