"""`GET /api/search?by=meaning` and related places, with the real model, Elasticsearch and database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared.accounts.tokens import Tokens
from shared.gcp.firestore import Firestore
from shared.library.links import Links
from shared.meaning.embedder import USE
from shared.meaning.store import PassageStore
from shared.search.meaning import Meaning
from shared.search.params import Params
from shared.search.service import Search
from shared.search.serving import Serving
from tests.integration.firestore_emulator import PROJECT
from tests.integration.meaning_library import embed, serve
from tests.integration.search_library import SearchLibrary, empty_library
from tests.libraries import put_membership
from tests.stored_videos import StoredVideo, video
from tests.unit.functions import load

TIDES = [
    "The moon pulls at the ocean, and the water bulges towards it.",
    "That is why twice a day the sea climbs up the beach and falls back again.",
    "When sun and moon stand in one line, the flood is highest.",
]
BREAD = [
    "Mix flour, salt and yeast with warm water and knead the dough for ten minutes.",
    "Let it rest under a cloth until it has doubled in size.",
    "Bake it in a very hot oven until the crust is brown.",
]
MORE_BREAD = [
    "For a sour loaf, take a starter of rye instead of the yeast, and give the dough a whole night.",
    "Fold it, shape it, and slash the top with a sharp blade before it goes into the oven.",
    "The loaf is done when it sounds hollow if you knock on it from below.",
    "Do not cut it while it is hot, or the crumb will be gummy.",
]
BIKE = [
    "Turn the bicycle upside down and take the wheel off.",
    "Pull the tyre over the rim, find the hole in the tube, and glue a patch on it.",
    "Pump it up again and check that no air escapes.",
]
LONG = [
    f"Now the committee reads paragraph {number} of the rules about parking, and votes on it."
    for number in range(30)
]
VIDEOS = [
    video("ocean", "The ocean and the moon", "en", *TIDES, *LONG, *BREAD, *MORE_BREAD, duration_seconds=900),
    video("bakery", "Brot", "en-GB", *BREAD, channel_id="UCbread", channel="Bakery"),
    video("workshop", "Repairs at home", "en", *BIKE, duration_seconds=120),
    video(
        "marees",
        "Les marées",
        "fr",
        "La lune attire la mer, et l'eau monte deux fois par jour.",
        "Quand le soleil et la lune sont alignés, la marée est la plus haute.",
    ),
    video("klingon", "tlhIngan", "tlh", "nuqneH tlhIngan maH", "Qapla' batlh je"),
    video("silent", "A silent film", None),
]
#: In the library of eve alone.
SECRET = video("secret", "Tides in secret", "en", *TIDES, "Nobody else may read zanzibarite tides.")
LENT = "UUlent"


@dataclass(frozen=True, slots=True)
class Site:
    web: Any
    token: str

    def ask(self, path: str, **parameters: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.web.get(path, query_string=parameters or None, headers=headers)
        return answer.status_code, answer.get_json()

    def search(self, q: str, **parameters: Any) -> Any:
        status, answer = self.ask("/api/search", q=q, by="meaning", **parameters)
        assert status == 200, answer
        return answer

    def ids(self, q: str, **parameters: Any) -> list[str]:
        return [hit["video_id"] for hit in self.search(q, **parameters)["hits"]]


@pytest.fixture(scope="module")
def library(elasticsearch_url: str, db: Firestore) -> Iterator[SearchLibrary]:
    with empty_library(elasticsearch_url) as library:
        library.write(*VIDEOS, SECRET)
        library.put("PLall", VIDEOS)
        library.put(LENT, VIDEOS[2:3])
        library.put("PLsecret", [SECRET], user_id="eve")
        embed(library.server, db, [*VIDEOS, SECRET])
        yield library


@pytest.fixture(scope="module")
def function(library: SearchLibrary, firestore_emulator: str, db: Firestore) -> Iterator[tuple[Any, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
        patch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        patch.setenv("ELASTICSEARCH_URL", library.url)
        patch.setenv("ELASTICSEARCH_INDEX_PREFIX", library.prefix)
        put_membership(db, "ada", "PLall", [each.video_id for each in VIDEOS], title="All")
        put_membership(db, "ada", LENT, ["workshop"], title="Lent")
        put_membership(db, "eve", "PLsecret", ["secret"], title="Secret")
        web, main = load("search")
        yield web, main
        main.db.close()


@pytest.fixture(scope="module")
def ada(function: tuple[Any, Any], db: Firestore) -> Site:
    return Site(function[0], Tokens(db).mint("ada", "test")["token"])


def marked(hit: Any) -> list[str]:
    return [part["text"] for each in hit["passages"] for part in each["text"] if part["match"]]


def test_a_paraphrase_finds_the_passage_and_its_second(ada: Site) -> None:
    answer = ada.search("What makes the shore flood and run dry each day?")
    assert (answer["match"], answer["cursor"], answer["did_you_mean"]) == ("meaning", None, None)
    ocean = next(hit for hit in answer["hits"] if hit["video_id"] == "ocean")
    assert {hit["video_id"] for hit in answer["hits"][:2]} == {"ocean", "marees"}
    assert (ocean["moments"], ocean["moment_count"]) == ([], 0)
    first = ocean["passages"][0]
    assert (first["start"], first["line"], first["url"][-5:]) == (0.5, 0, "&t=0s")
    assert first["strength"] in ("strong", "good")
    assert marked(ocean)[0] in TIDES
    assert answer["meaning"] == {"state": "on", "videos": 4, "of": 4, "languages": sorted(USE.languages)}
    assert ada.ids("fixing a flat on two wheels")[0] == "workshop"
    # Across languages.
    assert ada.ids("comment réparer une crevaison")[0] == "workshop"
    assert ada.search("ovenbaked loaf", limit=1)["total"] >= 1
    assert len(ada.search("ovenbaked loaf", limit=1)["hits"]) == 1


@pytest.mark.parametrize(
    ("q", "asked", "found"),
    [
        ("the pull of the moon on the sea", {"language": "fr"}, {"marees"}),
        ("how to make bread", {"channel": "UCbread"}, {"bakery"}),
        ("how to make bread", {}, {"bakery", "ocean"}),
        ("a flat tyre", {"playlist": LENT}, {"workshop"}),
        ("a flat tyre", {"max_minutes": "5"}, {"workshop"}),
        ("a flat tyre", {"max_minutes": "1"}, set()),
        ("a flat tyre", {"after": "2024-01-01"}, set()),
        ("the tides", {"playlist": "PLsecret"}, set()),
        ("the pull of the moon on the sea language:fr", {}, {"marees"}),
        ("how to make bread -moon", {}, {"bakery"}),
    ],
)
def test_filters_hold(ada: Site, q: str, asked: dict[str, str], found: set[str]) -> None:
    assert set(ada.ids(q, **asked)) == found


def test_filters_in_brackets_hold(ada: Site) -> None:
    assert ada.ids("(language:fr -zanzibar) why does the sea rise") == ["marees"]


def test_facets_count_what_was_found(ada: Site) -> None:
    whole = ada.search("the pull of the moon on the sea")
    narrowed = ada.search("the pull of the moon on the sea", language="fr")
    assert [hit["video_id"] for hit in narrowed["hits"]] == ["marees"]
    assert narrowed["facets"]["languages"] == whole["facets"]["languages"]
    assert sum(each["count"] for each in whole["facets"]["languages"]) == whole["total"]
    assert {each["title"] for each in whole["facets"]["playlists"]} <= {"All", "Lent"}


def test_nothing_of_another_user_or_outside_of_a_link(
    ada: Site, function: tuple[Any, Any], db: Firestore, library: SearchLibrary
) -> None:
    eve = Site(function[0], Tokens(db).mint("eve", "test")["token"])
    assert eve.ids("why does the sea rise") == ["secret"]
    assert eve.ask("/api/videos/ocean/related", start=0)[0] == 404
    assert "secret" not in ada.ids("why does the sea rise", limit=50)
    assert "secret" not in str(ada.ask("/api/videos/ocean/related", start=0)[1])
    stranger = Site(function[0], Tokens(db).mint("nobody", "test")["token"])
    assert stranger.search("why does the sea rise")["total"] == 0
    guest = Site(function[0], Links(db).make("ada", LENT)[1])
    for q in ("why does the sea rise", "bread", "a flat tyre"):
        assert set(guest.ids(q, limit=50)) <= {"workshop"}
    assert guest.ids("a flat tyre") == ["workshop"]
    assert guest.search("a flat tyre")["meaning"]["videos"] == 1
    assert guest.ask("/api/videos/workshop/related", start=0)[0] == 403
    # A playlist that was removed is not found any more, whatever is still in the index.
    put_membership(db, "bea", "PLgone", ["secret"], title="Gone")
    bea = Site(function[0], Tokens(db).mint("bea", "test")["token"])
    library.put("PLgone", [SECRET], user_id="bea")
    assert bea.ids("why does the sea rise") == ["secret"]
    library.index.delete_membership("bea", "PLgone", 2)
    assert bea.ids("why does the sea rise") == []
    assert bea.ask("/api/videos/secret/related", start=0)[0] == 404


@pytest.mark.parametrize(
    "asked",
    [
        *({"q": ""}, {"q": "?! …"}, {"q": '"'}, {"q": "language:en"}, {"q": "https://youtu.be/dQw4w9WgXcQ"}),
        *({"cursor": "x"}, {"sort": "newest"}, {"require": "moon"}, {"in": "title"}, {"by": "magic"}),
        *({"limit": "51"}, {"new_in": "0" * 16}),
    ],
)
def test_what_a_search_by_meaning_cannot_have(ada: Site, asked: dict[str, str]) -> None:
    status, answer = ada.ask("/api/search", **{"q": "moon", "by": "meaning", **asked})
    assert status == 400, answer
    assert answer["detail"].endswith(".")


@pytest.mark.parametrize(
    "q",
    [
        *("moon " * 5000, "x" * 20_000, "\x00\x1b moon", "ʞ" * 300, "🌊🌊🌊 a", "maH tlhIngan Qapla'"),
        *("moon OR (", "機械学習とは何か", "ทะเลขึ้นทำไม"),
    ],
)
def test_strange_questions_are_answered(ada: Site, q: str) -> None:
    answer = ada.search(q)
    assert answer["hits"] or answer["notices"]


@pytest.mark.parametrize(
    ("q", "is_said"),
    [
        *(("title:tides sea", True), ('"the sea" rises', True), ("tide* sea", True), ("moon OR sea", True)),
        *(("why does the sea rise?", False), ("sea -bread language:fr", False)),
    ],
)
def test_what_is_read_as_plain_words_is_said(ada: Site, q: str, is_said: bool) -> None:
    assert any("plain words" in each for each in ada.search(q).get("notices", ())) == is_said


def test_half_a_character_is_no_error(ada: Site) -> None:
    for path in ("/api/search?by=meaning&q=moon%ED%A0%80", "/api/search?q=moon+sun%ED%A0%80+zanzibar"):
        assert ada.ask(path)[0] == 200
    assert ada.ask("/api/videos/ocean/related?start=%ED%A0%80")[0] == 400


def test_related_places(ada: Site) -> None:
    status, answer = ada.ask("/api/videos/bakery/related", start=5)
    assert status == 200
    assert answer["passage"]["text"].startswith("Mix flour")
    assert answer["passage"]["start"] == 0.5
    best = answer["places"][0]
    assert best["video_id"] == "ocean"
    assert "oven" in best["text"]
    assert best["line"] > 0
    assert f"t={int(best['start'])}s" in best["url"]
    assert all(each["video_id"] != "bakery" for each in answer["places"])
    (only,) = ada.ask("/api/videos/bakery/related", start=600.7, limit=1)[1]["places"]
    assert only == best
    for silent in ("silent", "klingon"):
        status, answer = ada.ask(f"/api/videos/{silent}/related", start=0)
        assert (status, answer["passage"], answer["places"]) == (200, None, [])
        assert answer["notices"][0].startswith("This video has no passages to compare")


@pytest.mark.parametrize("start", ["", "-1", "nan", "inf", "1e999", "x", "601.5", "0x1"])
def test_a_second_that_the_video_has_not(ada: Site, start: str) -> None:
    status, answer = ada.ask("/api/videos/bakery/related", start=start)
    assert status == 400, answer
    assert answer["detail"].startswith("start: expected")


def test_related_places_of_an_unknown_video(ada: Site) -> None:
    for video_id in ("unknown", "secret", "%00", "x" * 3000):
        assert ada.ask(f"/api/videos/{video_id}/related", start=0)[0] == 404


def test_words_say_whether_meaning_is_offered(ada: Site) -> None:
    assert ada.ask("/api/search", q="why the moon?")[1]["meaning"] == {"state": "on", "offer": True}
    assert ada.ask("/api/search", q="moon")[1]["meaning"] == {"state": "on", "offer": False}


def test_only_words_are_saved_and_exported(ada: Site) -> None:
    assert ada.ask("/api/search/export", q="moon", by="meaning")[0] == 400


def test_without_a_model_words_go_on(ada: Site, function: tuple[Any, Any], db: Firestore) -> None:
    serving = function[1].serving
    for model, state in ((None, "preparing"), ("other-model", "preparing")):
        serve(db, model)
        serving._asked = (float("-inf"), serving._asked[1])
        answer = ada.search("moon")
        assert (answer["hits"], answer["meaning"]["state"]) == ([], state)
        assert answer["notices"]
        assert ada.ask("/api/search", q="moon")[1]["total"] > 0
    serve(db, USE.name)


def test_an_index_that_is_not_there_is_being_prepared(elasticsearch_url: str, db: Firestore) -> None:
    serve(db, USE.name)
    one: StoredVideo = VIDEOS[0]
    with empty_library(elasticsearch_url) as library:
        library.write(one)
        library.put("PLx", [one])
        search = Search(library.server, Meaning(Serving(db, "use"), PassageStore(db)))
        answer = search.search("ada", {"PLx": ""}, Params(q="moon", by="meaning"))
        assert (answer["meaning"]["state"], answer["total"]) == ("preparing", 0)
        assert search.search("ada", {"PLx": ""}, Params(q="moon"))["total"] == 1
