"""Requests are read as they are declared, and what is wrong is named in a sentence."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct, field
from werkzeug.datastructures import MultiDict

from shared.declared import Parameters, read_object
from shared.errors import BadRequest


class Part(Struct, forbid_unknown_fields=True):
    newest: Annotated[int, Meta(ge=1, le=1000)] | None = None
    flag: bool = True


class Body(Struct):
    title: Annotated[str, Meta(min_length=1, max_length=10)]
    part: Part | None = None
    every: Literal["daily", "weekly"] = "daily"
    tags: list[str] = []
    note: Annotated[str, Meta(extra={"sentence": "note: expected a text to remember."})] = ""


class Asked(Struct):
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    names: tuple[str, ...] = field(name="name", default=())
    fields: Annotated[tuple[Literal["a", "b"], ...], Meta(extra={"commas": True})] = field(
        name="in", default=()
    )
    even: Annotated[
        str, Meta(extra={"expected": "an even digit", "read": lambda each: each if each in "02468" else None})
    ] = "0"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "title: expected 1 to 10 characters, found nothing."),
        ({"title": ""}, "title: expected 1 to 10 characters, found ''."),
        ({"title": 7}, "title: expected 1 to 10 characters, found 7."),
        ({"title": "a" * 99}, f"title: expected 1 to 10 characters, found '{'a' * 40}'."),
        ({"title": "a", "part": []}, "part: expected an object, found []."),
        ({"title": "a", "part": {"newest": 0}},
         "newest: expected a number from 1 to 1,000, or null, found 0."),
        ({"title": "a", "part": {"newest": "\ud800"}},
         r"Expected text, found half of a character: '\ud800'."),
        ({"title": "a", "part": {"flag": "yes"}}, "flag: expected true or false, found 'yes'."),
        ({"title": "a", "every": "hourly"}, "every: expected one of daily, weekly, found 'hourly'."),
        ({"title": "a", "tags": "b"}, "tags: expected a list of texts, found 'b'."),
        ({"title": "a", "tags": ["b", 7]}, "tags: expected a list of texts, found 7."),
        ({"title": "a", "note": None}, "note: expected a text to remember."),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(body: Any, sentence: str) -> None:
    with pytest.raises(BadRequest) as raised:
        read_object(Body, json.dumps(body).encode())
    assert str(raised.value) == sentence


def test_what_is_not_declared_is_ignored() -> None:
    assert read_object(Body, b'{"title": "a", "more": 1}') == Body("a")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ([], Asked()),
        ([("limit", ""), ("even", " "), ("name", ""), ("in", ",")], Asked()),
        ([("limit", "5"), ("name", "x"), ("name", "y"), ("name", "x")], Asked(5, ("x", "y"))),
        ([("in", "b, a"), ("in", "a"), ("more", "1")], Asked(fields=("b", "a"))),
        ([("even", " 4 ")], Asked(even="4")),
    ],
)
def test_parameters(query: list[tuple[str, str]], found: Asked) -> None:
    assert Parameters(Asked).read(MultiDict(query)) == found


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("limit", "51", "limit: expected a number from 1 to 50, found '51'."),
        ("limit", "²", "limit: expected a number from 1 to 50, found '²'."),
        ("in", "a,c", "in: expected one of a, b, found 'c'."),
        ("even", "3", "even: expected an even digit, found '3'."),
    ],
)
def test_a_wrong_parameter_is_named(name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadRequest) as raised:
        Parameters(Asked).read(MultiDict([(name, value)]))
    assert str(raised.value) == sentence
