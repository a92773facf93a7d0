"""infra/local/arguments.py: the arguments that the delivery and the gateway share."""

from __future__ import annotations

import pytest

from infra.local.arguments import UsageError, function_urls


def test_each_function_has_a_url() -> None:
    arguments = ["fetcher=http://127.0.0.1:1/", "planner=http://127.0.0.1:2/?a=b"]
    assert function_urls(arguments, {"fetcher", "planner"}) == {
        "fetcher": "http://127.0.0.1:1/",
        "planner": "http://127.0.0.1:2/?a=b",
    }


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("fetcher", "--function: expected NAME=URL, found 'fetcher'"),
        ("a=http://127.0.0.1:1/", "--function: expected one of fetcher, planner, found 'a'"),
    ],
)
def test_a_wrong_argument_is_named(argument: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        function_urls([argument], {"fetcher", "planner"})
