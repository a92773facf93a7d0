"""Declarations of requests and answers: they check requests, and the API's document shows them.

A declaration is a msgspec Struct (of parameters, or of a body) or a TypedDict (of an answer). Its docstring
and the descriptions and examples of its fields are for people who read the document.

In the ``extra`` of a Meta, ``expected`` says in an error what was expected, or ``sentence`` is the error;
``read`` turns the text of a parameter into its value, or into None if it is wrong; ``commas`` says that
commas separate the values of a parameter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, structs

from shared import clock
from shared.errors import BadRequest

S = TypeVar("S", bound=Struct)

_VIDEO, _PLAYLIST, _TIME = "dQw4w9WgXcQ", "PLyts-sample-talks", "2026-01-31T12:00:00.000Z"
VideoId = Annotated[str, Meta(description="The id of a video at YouTube.", examples=[_VIDEO])]
PlaylistId = Annotated[
    str,
    Meta(
        description="The id of a source: a playlist, the uploads of a channel (UU…), or a collection.",
        examples=[_PLAYLIST],
    ),
]
JobId = Annotated[str, Meta(examples=["00aa11bb00aa11bb00aa11bb00aa11bb"])]
ShortId = Annotated[str, Meta(examples=["0123456789abcdef"])]
Url = Annotated[str, Meta(examples=[f"https://www.youtube.com/watch?v={_VIDEO}&t=61s"])]
#: Of an answer: RFC 3339 in UTC.
Time = Annotated[str, Meta(examples=[_TIME], extra_json_schema={"format": "date-time"})]
Cursor = Annotated[str, Meta(description="Of the page before. Leave it out to begin.")]
NextCursor = Annotated[str | None, Meta(description="Ask with it for the next page; null on the last one.")]


class Arguments(Protocol):
    """Flask's ``request.args``."""

    def get(self, key: str, /) -> str | None: ...

    def getlist(self, key: str, /) -> list[str]: ...


class Parameters(Generic[S]):
    """The parameters of a kind of requests: ``fields`` are those that ``kind`` declares."""

    def __init__(self, kind: type[S]) -> None:
        """Raises NameError when one of its types does not exist."""
        self.kind = kind
        self.fields = fields(kind)

    def read(self, arguments: Arguments) -> S:
        """The parameters of a request. Empty ones count as missing, and undeclared ones are ignored.

        Raises:
            BadRequest: names the parameter, what was expected and what was found.
        """
        found: dict[str, Any] = {}
        for each in self.fields:
            name = each.encode_name
            extra = _extra(each.type)
            texts = arguments.getlist(name)
            if "commas" in extra:
                texts = [part.strip() for text in texts for part in text.split(",")]
            if is_list(each.type):
                if values := list(dict.fromkeys(text for text in texts if text)):
                    found[name] = values
            elif texts and texts[0].strip():
                found[name] = _value(name, texts[0], each.type, extra)
        return _converted(self.kind, found, strict=False)


def read_object(kind: type[S], data: bytes) -> S:
    """The JSON object in the body of a request. A field that is not declared is ignored.

    Raises:
        BadRequest: names the field, what was expected and what was found.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"Expected a JSON object, found {data[:80]!r}.") from error
    if not isinstance(body, dict):
        raise BadRequest(f"Expected a JSON object, found {type(body).__name__}.")
    return _converted(kind, body, strict=True)


def fields(kind: type[Struct]) -> Sequence[structs.FieldInfo]:
    """The fields of a declaration. Raises NameError when one of its types does not exist."""
    # So that msgspec reads all types now, and not at the first request.
    with suppress(msgspec.ValidationError):
        msgspec.convert({}, kind)
    return structs.fields(kind)


def is_list(hint: Any) -> bool:
    """Whether a field has several values."""
    return any(get_origin(part) in (tuple, list) for part in _parts(hint))


def commas(hint: Any) -> bool:
    """Whether commas separate the values of a parameter."""
    return "commas" in _extra(hint)


def _value(name: str, text: str, hint: Any, extra: Mapping[str, Any]) -> Any:
    read: Callable[[str], Any] | None = extra.get("read")
    if read is None:
        return text
    value = read(text.strip())
    if value is None:
        raise BadRequest(f"{name}: expected {expected(hint)}, found {text[:40]!r}.")
    return value


def _converted(kind: type[S], found: dict[str, Any], *, strict: bool) -> S:
    try:
        return msgspec.convert(found, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise BadRequest(_sentence(kind, found, str(error))) from error
    except UnicodeEncodeError as error:
        raise BadRequest(f"Expected text, found half of a character: {error.object[:40]!r}.") from error


def _sentence(kind: Any, found: Any, problem: str) -> str:
    """Such as: limit: expected a number from 1 to 100, found '1000'."""
    # Such as: Expected `int` <= 100 - at `$.channel.newest`; Object missing required field `title`
    problem, _, path = problem.partition(" - at `$")
    steps = re.findall(r"[^.\[\]`]+", path)
    if missing := re.search(r"(?:missing required|unknown) field `(.*)`", problem):
        steps.append(missing[1])
    name = next((each for each in reversed(steps) if each not in ("...", "") and not each.isdigit()), "")
    hint, value = kind, found
    for step in steps:
        hint = _field(hint, step)
        if isinstance(value, list) and step.isdigit():
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
    if (own := _extra(hint).get("sentence")) is not None:
        return str(own)
    return f"{name}: expected {expected(hint)}, found {shown(value)}."


def shown(value: object) -> str:
    """A wrong value, as an error names it."""
    if value is None:
        return "nothing"
    return repr(value[:40]) if isinstance(value, str) else json.dumps(value)[:40]


def expected(hint: Any) -> str:
    """What a field is declared to be, for a sentence."""
    if (said := _extra(hint).get("expected")) is not None:
        return str(said)
    parts = list(_parts(hint))
    metas = [part for part in parts if isinstance(part, Meta)]
    or_null = ", or null" if type(None) in parts else ""
    for meta in metas:
        if meta.ge is not None and meta.le is not None:
            return f"a number from {meta.ge:,} to {meta.le:,}{or_null}"
        if meta.max_length is not None:
            return f"{meta.min_length or 0} to {meta.max_length:,} characters"
    for part in parts:
        if get_origin(part) is Literal:
            return f"one of {', '.join(map(str, get_args(part)))}"
    if bool in parts:
        return "true or false"
    return "a list of texts" if is_list(hint) else "text" if str in parts else "an object"


def _extra(hint: Any) -> Mapping[str, Any]:
    """What its Metas say, the outermost first."""
    found: dict[str, Any] = {}
    for part in _parts(hint):
        if isinstance(part, Meta):
            found = {**(part.extra or {}), **found}
    return found


def _parts(hint: Any) -> Iterator[Any]:
    """A type and all types and Metas that it is made of, the Metas of a type before it."""
    yield from getattr(hint, "__metadata__", ())
    yield hint
    for part in get_args(hint):
        if get_origin(hint) is not Literal and not isinstance(part, Meta):
            yield from _parts(part)


def _field(hint: Any, name: str) -> Any:
    """The type of a field of the first Struct in a type; the type itself if there is none."""
    for part in _parts(hint):
        if isinstance(part, type) and issubclass(part, Struct):
            return next((each.type for each in fields(part) if each.encode_name == name), hint)
    return hint


def time_text(text: str) -> str | None:
    """The same time in RFC 3339; None if it is none."""
    return clock.rfc3339(clock.parse(text))
