"""Feeds of saved searches, read by an independent parser."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from shared.accounts.profiles import profile_path
from tests.integration.keeping import Person, feed_of, get
from tests.stored_videos import video


def test_the_feed_has_the_new_hits_with_links_to_the_second(keeper: Person) -> None:
    made = keeper.save("q=sea", title="<Sea> & more")
    empty = feed_of(keeper, made)
    assert (empty.feed.title, empty.entries) == ("<Sea> & more", [])
    keeper.put("tides", "ropes")
    keeper.the_saved()
    keeper.put("tides", "ropes", "quiet")
    feed = feed_of(keeper, made)
    assert feed.feed.id == empty.feed.id
    assert feed.feed.id.startswith("tag:localhost,20")
    assert feed.feed.author == "yts"
    assert [each.title for each in feed.entries] == ["A quiet sea", "Knots and ropes for sailors"]
    (quiet, ropes) = feed.entries
    assert feed.feed.updated == quiet.updated > ropes.updated
    assert (ropes.author, ropes.id) == ("Café Corderie", f"{feed.feed.id}/ropes")
    assert parse_qs(urlsplit(ropes.link).query) == {
        "v": ["ropes"],
        "t": [ropes.link.partition("&t=")[2].partition("&")[0]],
        "line": ["3"],
        "q": ["sea"],
    }
    assert "0:00:" in ropes.content[0].value
    assert "and the sea was rough that day" in ropes.content[0].value
    assert parse_qs(urlsplit(quiet.link).query) == {"v": ["quiet"], "q": ["sea"]}, "it has no captions"
    related = next(each for each in ropes.links if each.rel == "related")
    assert related.href.startswith("https://www.youtube.com/watch?v=ropes&t=")
    keeper.ask("POST", f"/api/searches/{made['id']}/seen")
    assert len(feed_of(keeper, made).entries) == 2, "what was seen in the page stays in the feed"


def test_both_forms_are_conditional_and_private(keeper: Person) -> None:
    made = keeper.save("q=sea")
    keeper.put("tides", "ropes")
    urls = keeper.ask("POST", f"/api/searches/{made['id']}/feed", status=201)
    for name, kind in (("url", "application/atom+xml"), ("json_url", "application/feed+json")):
        answer = get(keeper.site, urls[name])
        assert answer.content_type == f"{kind}; charset=utf-8"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        again = get(keeper.site, urls[name], **{"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    keeper.put("tides", "ropes", "quiet")
    changed = get(keeper.site, urls["json_url"], **{"If-None-Match": answer.headers["ETag"]})
    assert changed.status_code == 200
    body = json.loads(changed.data)
    assert body["version"] == "https://jsonfeed.org/version/1.1"
    assert body["feed_url"] == urls["json_url"]
    assert all({"id", "url", "content_text", "date_published"} <= set(item) for item in body["items"])


def test_only_the_present_address_of_a_feed_works(keeper: Person) -> None:
    made = keeper.save("q=sea")
    first, second = (keeper.ask("POST", f"/api/searches/{made['id']}/feed", status=201) for _ in range(2))
    assert keeper.the_saved()["feed"]["created_at"]
    assert get(keeper.site, first["url"]).status_code == 404
    assert get(keeper.site, second["url"]).status_code == 200
    for wrong in (
        second["url"][:-6] + ".atom",
        "/api/feeds/.atom",
        "/api/feeds/yts_feed_x.json",
        "/api/feeds/x",
    ):
        assert get(keeper.site, wrong).status_code == 404
    keeper.ask("DELETE", f"/api/searches/{made['id']}/feed", status=204)
    assert keeper.the_saved()["feed"] is None
    assert get(keeper.site, second["url"]).status_code == 404
    third = keeper.ask("POST", f"/api/searches/{made['id']}/feed", status=201)
    keeper.ask("DELETE", f"/api/searches/{made['id']}", status=204)
    assert get(keeper.site, third["json_url"]).status_code == 404
    assert not list(keeper.site.db.query("feeds", ("user_id", "==", keeper.user_id)))


def test_the_feed_of_a_suspended_user_is_gone(keeper: Person) -> None:
    made = keeper.save("q=sea")
    url = keeper.ask("POST", f"/api/searches/{made['id']}/feed", status=201)["url"]
    for suspended, status in ((True, 404), (False, 200)):
        keeper.site.db.commit().set(profile_path(keeper.user_id), {"suspended": suspended}, merge=True).run()
        assert get(keeper.site, url).status_code == status


def test_a_feed_is_asked_for_so_often_only(keeper: Person) -> None:
    made = keeper.save("q=sea")
    url = keeper.ask("POST", f"/api/searches/{made['id']}/feed", status=201)["url"]
    answers = [get(keeper.site, url) for _ in range(31)]
    assert [each.status_code for each in answers] == [200] * 30 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 30
    other = keeper.ask("POST", f"/api/searches/{made['id']}/feed", status=201)["url"]
    assert get(keeper.site, other).status_code == 200


HOSTILE = "<b>&amp;]]>\x00\x07\ufffe\U0010ffff \u202e 🎬 \"'"


def test_hostile_text_stays_text_in_a_feed(keeper: Person) -> None:
    made = keeper.save("q=zimt", title=HOSTILE)
    hostile = video("hostile", HOSTILE, "en", f"zimt {HOSTILE}", channel=HOSTILE)
    keeper.site.library.write(hostile)
    keeper.put("tides", "hostile")
    feed = feed_of(keeper, made)
    (entry,) = feed.entries
    assert "<b>&amp;]]>" in entry.title
    assert not {"\x00", "\x07", "\ufffe"} & {*entry.title, *feed.feed.title, *entry.content[0].value}
    assert entry.content[0].type == "text/plain"
