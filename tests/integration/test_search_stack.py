"""Search in a whole local run: two users index generated playlists, and each finds only their own videos."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
import webvtt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.library.model import Video
from shared.search.index.folding import fold
from tests.stack import Stack

#: Ada has two playlists and Bea has one. No video is in two of them.
ADA, BEA = "ada-searches", "bea-searches"
MAIN, MORE, OTHER = "PLgen-30-finding-short", "PLgen-6-findmore-short", "PLgen-6-beyond-short"


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a library."""

    stack: Stack
    user: str
    videos: dict[str, Video]

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of an answer with status 200."""
        answer = self.stack.get(path, self.user, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def search(self, q: str = "", **parameters: Any) -> dict[str, Any]:
        return dict(self.get("/api/search", q=q, **parameters))

    def finds_all(self) -> bool:
        return bool(self.search()["total"] == len(self.videos))


def videos_of(*playlists: str) -> dict[str, Video]:
    ids = [
        video_id for each in playlists if (found := generate.playlist(each)) for video_id in found.video_ids
    ]
    return {video_id: video for video_id in ids if (video := generate.video(video_id))}


@pytest.fixture(scope="module")
def people(stack: Stack) -> tuple[Person, Person]:
    wanted = [(ADA, MAIN), (ADA, MORE), (BEA, OTHER)]
    jobs = [(stack.index(playlist, user), user) for user, playlist in wanted]
    for job_id, user in jobs:
        assert stack.finish(job_id, user)["state"] == "done"
    ada = Person(stack, ADA, videos_of(MAIN, MORE))
    bea = Person(stack, BEA, videos_of(OTHER))
    for person in (ada, bea):
        # Elasticsearch refreshes the index once a second.
        stack.wait_for(person.finds_all, 30, "all videos are found")
    return ada, bea


@pytest.fixture(scope="module")
def ada(people: tuple[Person, Person]) -> Person:
    return people[0]


@pytest.fixture(scope="module")
def bea(people: tuple[Person, Person]) -> Person:
    return people[1]


def topic_of(person: Person) -> tuple[str, Video]:
    """A video, and a word that is only in this video and in its title."""
    video = next(iter(person.videos.values()))
    return generate.topics(video.id)[1], video


def test_a_phrase_is_found_at_its_second(ada: Person) -> None:
    for video_id in list(ada.videos)[:8]:
        phrase = generate.phrase_of(video_id)
        answer = ada.search(f'"{phrase.text}"')
        assert [hit["video_id"] for hit in answer["hits"]] == [video_id]
        assert [moment["start"] for moment in answer["hits"][0]["moments"]] == [phrase.start]


def test_a_facet_counts_hits_under_the_other_filters(ada: Person) -> None:
    facets = ada.search()["facets"]
    assert facets["playlists"] == [
        {"value": MAIN, "title": "Generated playlist finding of 30 videos", "count": 30},
        {"value": MORE, "title": "Generated playlist findmore of 6 videos", "count": 6},
    ]
    languages = Counter(str(video.language).split("-")[0] for video in ada.videos.values())
    assert {each["value"]: each["count"] for each in facets["languages"]} == languages
    years = Counter(video.published_at[:4] for video in ada.videos.values())
    assert {each["value"]: each["count"] for each in facets["years"]} == years
    assert [each["value"] for each in facets["years"]] == sorted(years, reverse=True)
    channels = Counter(video.channel.title for video in ada.videos.values())
    assert {each["title"]: each["count"] for each in facets["channels"]} == channels

    german = [video for video in ada.videos.values() if video.language == "de"]
    narrowed = ada.search(language="de")
    assert narrowed["total"] == len(german) > 0
    assert {each["value"]: each["count"] for each in narrowed["facets"]["languages"]} == languages
    assert {each["value"]: each["count"] for each in narrowed["facets"]["years"]} == Counter(
        video.published_at[:4] for video in german
    )
    assert {hit["video_id"] for hit in ada.search(playlist=MORE)["hits"]} == set(videos_of(MORE))


def test_sorts_and_pages(ada: Person) -> None:
    for sort, field in (("newest", "published_at"), ("longest", "duration")):
        seen: list[str] = []
        page = ada.search(sort=sort, limit=7)
        while True:
            seen += [hit["video_id"] for hit in page["hits"]]
            if page["cursor"] is None:
                break
            page = ada.search(sort=sort, limit=7, cursor=page["cursor"])
        assert len(seen) == len(set(seen)) == len(ada.videos)
        values = [getattr(ada.videos[each], field) for each in seen]
        assert values == sorted(values, reverse=True)


def test_pages_while_indexing_goes_on(ada: Person) -> None:
    """Videos that are indexed between two pages are on no page. A new search finds them."""
    stack, late = ada.stack, "PLgen-8-findlate-short"
    page = ada.search("the", limit=5)
    total, seen = page["total"], [hit["video_id"] for hit in page["hits"]]
    stack.finish(stack.index(late, ADA), ADA)
    try:
        stack.wait_for(lambda: ada.search()["total"] == len(ada.videos) + 8, 30, "the new ones are found")
        while page["cursor"]:
            page = ada.search("the", limit=5, cursor=page["cursor"])
            assert page["total"] == total
            seen += [hit["video_id"] for hit in page["hits"]]
        assert len(seen) == len(set(seen)) == total
        assert set(seen) <= set(ada.videos)
    finally:
        stack.request("DELETE", f"/api/playlists/{late}", ADA)
    assert ada.search()["total"] == len(ada.videos)


def test_an_export_has_every_hit_and_moment(ada: Person) -> None:
    answer = ada.stack.get("/api/search/export?q=the&format=jsonl", ADA, stream=True)
    assert answer.status_code == 200
    # It is streamed, so its length is not known at the beginning.
    assert answer.headers.get("Transfer-Encoding") == "chunked"
    hits = [json.loads(line) for line in answer.iter_lines()]
    assert len(hits) == ada.search("the")["total"] > 25
    assert all(len(hit["moments"]) == hit["moment_count"] for hit in hits)
    answer = ada.stack.get("/api/search/export?q=the&format=csv", ADA)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["video_id"], row["start"]) for row in rows] == [
        (hit["video_id"], start)
        for hit in hits
        for start in ([str(moment["start"]) for moment in hit["moments"]] or [""])
    ]


def test_a_transcript_is_the_same_in_every_format(ada: Person) -> None:
    video = next(iter(ada.videos.values()))
    said = [(round(line.start * 1000), line.text) for line in video.tracks[0].lines()]
    answer = ada.get(f"/api/videos/{video.id}")
    assert (answer["title"], answer["channel"]) == (video.title, video.channel.title)
    assert [(round(line["start"] * 1000), line["text"]) for line in answer["lines"]] == said
    for form in ("srt", "vtt"):
        text = ada.stack.get(f"/api/videos/{video.id}?format={form}", ADA).text
        captions = webvtt.from_buffer(io.StringIO(text), format=form).captions
        assert [(round(each.start_in_seconds), each.text) for each in captions] == [
            (start // 1000, text) for start, text in said
        ]
    text = ada.stack.get(f"/api/videos/{video.id}?format=txt", ADA).text
    assert text.splitlines() == [text for _, text in said]


def test_suggestions_and_spellings(ada: Person) -> None:
    word, video = topic_of(ada)
    assert video.title in ada.get("/api/suggest", q=video.title[:12])["suggestions"]
    wrong = word[:2] + word[3:]
    answer = ada.search(wrong)
    assert (answer["total"], answer["did_you_mean"]) == (0, word)


def test_nobody_finds_videos_of_another_user(ada: Person, bea: Person) -> None:
    word, video = topic_of(ada)
    phrase = generate.phrase_of(video.id).text
    assert ada.search(word)["total"] >= 1
    for q in (word, f'"{phrase}"', f"title:{word}", f"{word[:4]}*", f"{word}~", f"zzz OR {word}"):
        found = {hit["video_id"] for hit in bea.search(q)["hits"]}
        assert not found & set(ada.videos), q
    # Neither with a filter nor with the cursor of another user.
    assert bea.search(playlist=MAIN)["total"] == 0
    assert bea.search(channel=video.channel.id)["total"] == sum(
        each.channel == video.channel for each in bea.videos.values()
    )
    cursor = ada.search(limit=3)["cursor"]
    found = {hit["video_id"] for hit in bea.search(limit=3, cursor=cursor)["hits"]}
    assert found <= set(bea.videos)
    assert {hit["video_id"] for hit in bea.search(limit=50)["hits"]} == set(bea.videos)
    facets = bea.search()["facets"]
    assert [each["value"] for each in facets["playlists"]] == [OTHER]
    assert sum(each["count"] for each in facets["years"]) == len(bea.videos)
    assert bea.search(word[:2] + word[3:])["did_you_mean"] != word
    assert video.title not in bea.get("/api/suggest", q=video.title[:12])["suggestions"]
    export = bea.stack.get("/api/search/export?q=&format=jsonl", BEA).text
    assert {json.loads(line)["video_id"] for line in export.splitlines()} == set(bea.videos)
    for form in ("json", "srt", "vtt", "txt"):
        answer = bea.stack.get(f"/api/videos/{video.id}?format={form}", BEA)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/api/search?q=a", "/api/search/export?q=a", "/api/suggest?q=a", "/api/videos/abcdefghijk"]
)
def test_a_search_without_a_valid_token_is_401(ada: Person, path: str) -> None:
    assert ada.stack.get(path, None).status_code == 401
    assert ada.stack.get(path, None, headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_very_long_query_is_cut_and_answered(ada: Person) -> None:
    answer = ada.search("the " * 2_500)
    assert answer["total"] > 0
    assert any("2,000 characters" in notice for notice in answer["notices"])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text).lower())


_WORDS = [
    word
    for video in list(videos_of(MAIN).values())[:3]
    for line in video.tracks[0].lines()[:3]
    for word in line.text.split()
]
_PIECES = st.sampled_from(
    [*_WORDS, "the", "OR", "|", "-", "(", ")", '"', "*", "~", ":", "title:", "after:2020"]
)
_QUERIES = st.lists(_PIECES, min_size=1, max_size=8).map(" ".join) | st.text(max_size=80)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(q=_QUERIES)
def test_any_query_is_answered_and_every_moment_begins_where_a_match_is_said(ada: Person, q: str) -> None:
    answer = ada.stack.get("/api/search", ADA, params={"q": q.encode("utf-8", "replace"), "limit": 3})
    assert answer.status_code == 200, (q, answer.text)
    for hit in answer.json()["hits"]:
        lines = ada.videos[hit["video_id"]].tracks[0].lines()
        assert len(hit["moments"]) <= hit["moment_count"]
        for moment in hit["moments"]:
            # The moment begins with a marked word, so this word is in a line that starts then.
            said = " ".join(line.text for line in lines if line.start == moment["start"])
            assert said, (q, moment)
            marked = [part["text"] for part in moment["snippet"] if part["match"]]
            firsts = {words[0] for text in marked if (words := _words(text))}
            assert firsts & set(_words(said)), (q, moment, said)
