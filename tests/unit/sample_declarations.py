"""What the routes of sample_function.py take and answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta, Struct


class Who(TypedDict):
    user: str
    operator: NotRequired[bool]


class Body(Struct):
    a: Any = None
    b: Any = None


class Found(TypedDict):
    found: Any


class Limit(Struct):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class Limited(TypedDict):
    limit: int


class Choice(Struct):
    format: Literal["csv", "jsonl"] | None = None


class Chosen(TypedDict):
    choice: str | None


class Thing(TypedDict):
    thing: str
