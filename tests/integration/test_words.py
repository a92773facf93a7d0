"""Words are found in each spelling that people use, with the right line, in every script."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest

from shared.search.index.folding import fold, has_word
from tests.integration.search_library import TITLES, USER, SearchLibrary, empty_library
from tests.stored_videos import video

#: Language, what was said, and queries that find it.
FOUND = [
    # A quotation mark in a Hebrew acronym, and points.
    ("iw", 'דובר צה"ל מסר', ['צה"ל', "צה״ל", 'דובר צה"ל', '"צה"ל מסר"', '"דובר צה״ל מסר"']),
    ("iw", "תִּקּוּן עולם", ["תקון", '"תקון עולם"', "תִּקּוּן"]),
    ("iw", 'ארה"ב וגם דו"ח', ['ארה"ב דו"ח', 'דו״ח ארה"ב']),
    ("en", 'a 24" monitor and a 19" one', ['24" monitor', '24"', '"24 monitor"', '19" one']),
    # Arabic and Persian: vowels, tatweel, forms of alef, yeh and kaf.
    ("ar", "العَرَبِيّة لُغَة جميلة", ['"العربية لغة"', '"لغة جميلة"', "العربيه", "العـربية"]),
    ("ar", "إنّ المسؤول في الأردن", ['"ان المسوول"', '"المسؤول في الاردن"', "أن"]),
    ("fa", "این کتاب مفید است", ['"كتاب مفيد"', '"کتاب مفید"', '"این كتاب"']),
    ("ur", "یہ کتاب اچھی ہے", ['"كتاب اچھي"', "یہ"]),
    # Letters that are two elsewhere.
    ("de", "die Straße ist groß", ['"die strasse"', "strasse", "STRASSE", '"ist gross"', "stra*", "strase~"]),
    ("fr", "le cœur et l'œuvre de ma sœur", ["coeur", '"coeur et l\'oeuvre"', "oeuv*", '"ma soeur"']),
    ("da", "Ærø og en ål på Ørsted", ["aero", '"aero og"', "orsted", '"paa"~1 OR "al pa orsted"']),
    ("is", "þingið í Reykjavík", ["thingid", '"thingid i reykjavik"']),
    ("pl", "łódź i żółw", ["lodz", '"lodz i zolw"']),
    ("vi", "đường phố Hà Nội", ['"duong pho ha noi"', "duong"]),
    ("tr", "İstanbul'da ılık bir gün", ["istanbul", '"istanbul da ilik"', "ISTANBUL"]),
    ("en", "an ﬁsh of １２ kilos in ＦＵＬＬ width", ["fish", "12", '"full width"']),
    ("hi", "साल १९४७ में", ["1947", "१९४७"]),
    ("el", "Ο ΟΔΥΣΣΕΑΣ και ο Οδυσσέας", ["οδυσσεας", '"ο οδυσσεας"']),
    # Words without a space between them.
    ("en", "First sentence.Second sentence", ["second", '"sentence second"', "secon*"]),
    (
        "en",
        "ask Dr.Smith or see https://www.patreon.com/x",
        ["smith", "patreon", '"dr smith"', "www.patreon.com"],
    ),
    ("en", "call snake_case_names and semi;colons", ["snake", "names", '"case names"', "colons"]),
    (
        "en",
        "made in the U.S.A. at 5 p.m. by J.K. Rowling",
        ["usa", "U.S.A.", "pm", '"the usa"', "jk", "rowling"],
    ),
    # Elided articles, and other apostrophes.
    ("fr", "l'école n'est pas finie", ['"école n\'est pas"', '"ecole n’est"', "ecole", "l’école", "écoles"]),
    ("it", "dell'amico all’isola d'Elba", ["amico", '"isola d\'elba"', "elba", "amici"]),
    ("ca", "la col·lecció de l’avi", ["colleccio", "avi", '"l\'avi"', "col·lecció"]),
    ("uk", "м'яч і п’ять", ["м’яч", '"пять" OR "п\'ять"']),
    # Numbers.
    (
        "en",
        "1,000 people paid 12,500.50 and 3.5",
        ["1000", "1,000", '"1000 people"', "12500", "3.5", '"and 3.5"'],
    ),
    ("de", "genau 1.000.000 Euro, also 2.500", ["1000000", "2500", '"1000000 euro"']),
    ("en", "1,00,000 rupees", ["100000", '"100000 rupees"']),
    # Signs.
    ("en", "I ❤️ NY and ★★★ hotels 👍🏽", ["❤", "❤️", '"i ❤ ny"', "★★★", "★", "👍", "👍🏿"]),
    ("en", "♪ la vie ♪ en rose ♪", ['"la vie en rose"', "rose ♪"]),
    ("en", "learn C++ and C# or F# on .NET", ["C++", "c++", "C#", "f#", ".net", '"c++ and c#"', ".NET"]),
    ("ko", "C++17와 C#을 ASP.NET에서", ["c++", "C#", '"C++ 17와"']),
    (
        "tlh",
        "Vlog#12 #travel#paris wow+++ good[Music]morning",
        ["vlog", "12", "paris", "par*", "wow", "morning"],
    ),
    ("en", "the NASA (National Aeronautics) agency", ['"nasa national aeronautics"', '"aeronautics agency"']),
    ("en", "she won't and I don’t", ["won't", "wont", "dont", "don't", '"i dont"']),
    ("iw", "צה”ל ארה“ב", ['צה"ל', 'ארה"ב', '"צה״ל ארה״ב"']),
    ("hi", "१,२३४ और १०,०००", ["1234", "१०००0", "10000"]),
    ("en", "the 🇩🇪 flag and ☆☆☆ and 𝗕𝗼𝗹𝗱", ["🇩🇪", "★", "bold"]),
    ("ja", '"機械学習"と"深層学習"', ['"機械学習"と"深層学習"', '機械"深層学習"', "深層学習"]),
    # Chinese in both scripts.
    ("zh-Hant", "今天講機器學習", ["机器学习", "機器學習", '"机器学习"', "学*", "今天"]),
    ("zh-Hans", "软件开发和数据", ["軟件開發", '"軟件開發"', "數據"]),
    ("yue", "廣東話", ["广东话"]),
    # Other forms of short words.
    ("es", "la casa del niño", ["casas", "niños", "casa"]),
    ("es", "los gatos y las luces", ["gato", "luz", "gatos"]),
    ("it", "i gatti e le case", ["gatto", "casa"]),
    ("ca", "les cases dels gossos", ["casa", "gos"]),
    ("pl", "książki i miasta", ["książka", "miasto", "ksiazki"]),
    ("uk", "школи та історії", ["школа", "історія"]),
    ("sk", "knihy a mestá", ["kniha", "mesto"]),
    ("hr", "kuće i knjige", ["kuća", "knjiga"]),
]
#: Language, what was said, and queries that do not find it.
NOT_FOUND = [
    ("en", "vitamin C is in fruit, and fishing net too, and php.net", ["C++", "C#", ".NET"]),
    ("en", "learn C++ and F# and .NET", ["c", "f", "net"]),
    ("en", "she won't, I don't", ["won", "don"]),
    ("en", "a bowl of soup", ["bowl NOT soup", "bowl −soup", "bowl –soup", "bowl AND NOT soup", "NOT soup"]),
    ("en", "two thousand 2,0001", ["2000"]),
]


@pytest.fixture(scope="module")
def library(elasticsearch_url: str) -> Iterator[SearchLibrary]:
    """A video for each text, with the text split over two lines after another one."""
    with empty_library(elasticsearch_url) as library:
        videos = [
            video(f"v{number}", "Nothing", language, "zzz", *_halves(said))
            for number, (language, said, _) in enumerate([*FOUND, *NOT_FOUND])
        ]
        videos += [
            video(f"t{number}", said, language, "zzz", description=f"zzz {said}")
            for number, (language, said, _) in enumerate(FOUND)
        ]
        library.write(*videos)
        library.put("PLtalks", videos)
        yield library


def _halves(said: str) -> tuple[str, ...]:
    words = said.split(" ")
    return (" ".join(words[:1]), " ".join(words[1:])) if len(words) > 1 else (said,)


_EACH_FOUND = [(number, q) for number, (_, _, queries) in enumerate(FOUND) for q in queries]


@pytest.mark.parametrize(("number", "q"), _EACH_FOUND)
def test_a_word_is_found_where_it_was_said(number: int, q: str, library: SearchLibrary) -> None:
    hits = {hit["video_id"]: hit for hit in library.search(q, limit=50)["hits"]}
    assert f"v{number}" in hits
    moments = hits[f"v{number}"]["moments"]
    assert moments
    assert all(moment["start"] >= 4 for moment in moments)


@pytest.mark.parametrize(("number", "q"), _EACH_FOUND)
def test_a_word_is_found_and_marked_in_titles_and_descriptions(
    number: int, q: str, library: SearchLibrary
) -> None:
    for field in ("title", "description"):
        hits = {hit["video_id"]: hit for hit in library.search(q, limit=50, texts=(field,))["hits"]}
        assert f"t{number}" in hits
        marked = [segment["text"] for segment in hits[f"t{number}"][field] if segment["match"]]
        assert marked
        assert all(has_word(text) for text in marked)


@pytest.mark.parametrize(
    ("number", "q"),
    [(len(FOUND) + number, q) for number, (_, _, queries) in enumerate(NOT_FOUND) for q in queries],
)
def test_what_was_not_said_is_not_found(number: int, q: str, library: SearchLibrary) -> None:
    assert f"v{number}" not in library.ids(q)


@pytest.mark.parametrize("said", [said for _, said, _ in [*FOUND, *NOT_FOUND]])
def test_python_and_elasticsearch_fold_alike(said: str, library: SearchLibrary) -> None:
    assert _words(library, fold(said)) == _words(library, said)


def test_python_knows_which_symbols_are_words(library: SearchLibrary) -> None:
    symbols = [
        chr(code)
        for code in [*range(0x2190, 0x2C00), *range(0x1F300, 0x1FAC0)]
        if unicodedata.category(chr(code)) in ("So", "Sm") and fold(chr(code)).strip()
    ]
    found = {word for text in _chunks(symbols) for word in _words(library, text)}
    assert {fold(each) for each in symbols if has_word(each)} <= found
    missed = {each for each in found if len(each) == 1 and not has_word(each)}
    assert not missed & set(symbols)


def _chunks(symbols: list[str]) -> list[str]:
    return [" ".join(symbols[at : at + 300]) for at in range(0, len(symbols), 300)]


def _words(library: SearchLibrary, text: str) -> list[str]:
    index = f"{library.prefix}-videos"
    answer = library.server.client.indices.analyze(index=index, analyzer="folded", text=text)
    return [token["token"] for token in answer["tokens"]]


def test_a_number_is_never_corrected(library: SearchLibrary) -> None:
    library.write(video("year", "The year", "en", "it was in 2023 and again in 2023"))
    library.put("PLmore", [video("year", "The year", "en")])
    assert library.search("2025")["did_you_mean"] is None
    assert library.search("201")["did_you_mean"] is None
    assert library.search("1001")["did_you_mean"] is None


def test_sounds_weigh_next_to_nothing(elasticsearch_url: str) -> None:
    with empty_library(elasticsearch_url) as library:
        talk = video("talk", "A", "en", "we talk about music", "and the sea", "where music is", "[Music]")
        noise = video("noise", "B", "en", *["[Music]", "(laughs)", "hm", "【拍手】"] * 30)
        library.write(talk, noise)
        library.put("PLtalks", [talk, noise])
        answer = library.search("music")
        assert [hit["video_id"] for hit in answer["hits"]] == ["talk", "noise"]
        assert answer["hits"][0]["moment_count"] == 2
        assert answer["hits"][1]["moment_count"] == 30
        assert library.ids("[music]") == ["talk", "noise"]
        assert library.ids("hm -music") == ["noise"]
        assert library.ids("laughs") == library.ids("laugh*") == library.ids("拍手") == ["noise"]
        assert library.ids('"about music and"') == ["talk"]


@pytest.mark.parametrize(
    ("texts", "q", "starts"),
    [
        (("alpha bravo", "bravo charlie", "charlie delta"), '"bravo charlie delta"', [0.5]),
        (("alpha bravo", "bravo charlie", "charlie delta"), "bravo", [0.5]),
        (("one two", "one two three four", "three four five", "five six"), '"four five six"', [4.5]),
        (("Всё это", "это было", "было давно"), '"это было давно"', [0.5]),
        # People do repeat words.
        (("no no", "no way", "we go", "by bus", "to town"), "no", [0.5, 4.5]),
    ],
)
def test_what_repeats_the_end_of_the_line_before_is_no_text(
    texts: tuple[str, ...], q: str, starts: list[float], elasticsearch_url: str
) -> None:
    with empty_library(elasticsearch_url) as library:
        rolled = video("rolled", "A", "en", *texts)
        library.write(rolled)
        library.put("PLtalks", [rolled])
        (hit,) = library.search(q)["hits"]
        assert [moment["start"] for moment in hit["moments"]] == starts


@pytest.mark.parametrize(
    "q",
    [
        "dQw4w9WgXcQ",
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=42s",
        "https://youtu.be/dQw4w9WgXcQ?si=abc",
        "youtube.com/shorts/dQw4w9WgXcQ",
        "https://m.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ",
        " https://www.youtube.com/live/dQw4w9WgXcQ ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
    ],
)
def test_an_id_or_an_address_finds_the_video(q: str, elasticsearch_url: str) -> None:
    with empty_library(elasticsearch_url) as library:
        videos = [
            video("dQw4w9WgXcQ", "A", "en", "hm"),
            video("other", "B", "en", "https www youtube com watch"),
        ]
        library.write(*videos)
        library.put("PLtalks", videos)
        assert library.ids(q) == ["dQw4w9WgXcQ"]


def test_the_video_of_an_id_comes_before_videos_that_mention_it(elasticsearch_url: str) -> None:
    with empty_library(elasticsearch_url) as library:
        other = video("other", "dQw4w9WgXcQ", "en", "dQw4w9WgXcQ", description="https://youtu.be/dQw4w9WgXcQ")
        videos = [video("dQw4w9WgXcQ", "A", "en", "hm"), video("-9wtIMTCHWu", "B", "en", "hm"), other]
        library.write(*videos)
        library.put("PLtalks", videos)
        assert library.ids("dQw4w9WgXcQ") == ["dQw4w9WgXcQ", "other"]
        assert library.ids("-9wtIMTCHWu") == ["-9wtIMTCHWu"]


@pytest.mark.parametrize("text", ["12,", "1,000,", "[a ", "C++ ", "a.", "(x "])
def test_a_text_of_one_thing_repeated_is_indexed(text: str, elasticsearch_url: str) -> None:
    with empty_library(elasticsearch_url) as library:
        long = video("long", "A", "en", text * 30_000, "end here")
        library.write(long)
        library.put("PLtalks", [long])
        assert library.ids('"end here"') == ["long"]


def test_a_word_of_eleven_letters_is_a_word(elasticsearch_url: str) -> None:
    with empty_library(elasticsearch_url) as library:
        videos = [
            video("one", "A", "en", "about programming"),
            video("two", "B", "en", "Programming 2021-2022x"),
        ]
        library.write(*videos)
        library.put("PLtalks", videos)
        assert set(library.ids("programming")) == set(library.ids("Programming")) == {"one", "two"}
        assert library.ids("2021-2022x") == ["two"]


@pytest.fixture(scope="module")
def spellings(elasticsearch_url: str) -> Iterator[SearchLibrary]:
    with empty_library(elasticsearch_url) as library:
        videos = [
            video("strasse", "Die Straße am Fluß", "de", "die Straße war nass und die Straße war lang"),
            video("coeur", "Cœur brisé", "fr", "le cœur"),
            video("jiqi", "機器學習入門", "zh-Hant", "機器學習"),
            video("kitab", "كِتَابٌ مُفِيد", "ar", "كتاب"),
            video("channel", "Nothing", "en", "hm", channel="L'École de la Forêt №1"),
        ]
        library.write(*videos)
        library.put("PLtalks", videos)
        yield library


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("die stra", "Die Straße am Fluß"),
        ("STRASSE AM FLUSS", "Die Straße am Fluß"),
        ("coeu", "Cœur brisé"),
        ("cœur bri", "Cœur brisé"),
        ("机器学", "機器學習入門"),
        ("كتاب مف", "كِتَابٌ مُفِيد"),
        ("ecole", "L'École de la Forêt №1"),
        ("l’école de la fo", "L'École de la Forêt №1"),
        ("straße wa", "strasse war"),
    ],
)
def test_a_suggestion_continues_each_spelling(typed: str, suggested: str, spellings: SearchLibrary) -> None:
    assert suggested in spellings.service.suggest(USER, TITLES, typed)


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("channel:ecole", "channel"),
        ('channel:"ecole de la foret"', "channel"),
        ("channel:for*", "channel"),
        ("channel:l’école", "channel"),
        ("title:strasse", "strasse"),
        ("title:fluss*", "strasse"),
        ("title:coeurs~", "coeur"),
        ('title:"机器学习"', "jiqi"),
    ],
)
def test_a_field_is_searched_in_each_spelling(q: str, found: str, spellings: SearchLibrary) -> None:
    assert spellings.ids(q) == [found]


@pytest.mark.parametrize(
    ("q", "meant"), [("strassse", "strasse"), ("coeurr bris", None), ("Straßse", "strasse")]
)
def test_another_spelling_is_proposed_as_it_is_searched(
    q: str, meant: str | None, spellings: SearchLibrary
) -> None:
    proposed = spellings.search(q)["did_you_mean"]
    assert meant is None or proposed == meant
    assert proposed is None or spellings.ids(proposed)
