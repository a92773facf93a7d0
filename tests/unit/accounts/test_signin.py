"""The page after signing in is a page of this site, whatever `next` says."""

from __future__ import annotations

import pytest

from shared.accounts.signin import path_on_this_site

AWAY = [
    *("https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example"),
    *("http:evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "/\\/evil.example"),
    *("/\t/evil.example", "/\n//evil.example", "\t//evil.example", " //evil.example", "/a\\b", "/\x00", ""),
    *("/x\r\nSet-Cookie: a=b", "/" + "x" * 2000, "/\ud800"),
]


@pytest.mark.parametrize("wanted", AWAY, ids=repr)
def test_next_never_leaves_the_site(wanted: str) -> None:
    assert path_on_this_site(wanted) == "/"


@pytest.mark.parametrize(
    "wanted", ["/", "/?q=a+b&x=%2F", "/#token", "/a/b.html", "/.//evil.example", "/@evil.example"]
)
def test_next_is_any_path_of_the_site(wanted: str) -> None:
    assert path_on_this_site(wanted) == wanted
