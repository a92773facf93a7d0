"""The judged set of search by meaning asks fairly: about enough places, and in words of its own."""

from __future__ import annotations

import pytest

from shared.meaning.passages import cut
from tests.benchmarks import meaning_corpus
from tests.benchmarks.meaning_judged import Judged, content_words, judged


@pytest.fixture(scope="module")
def found() -> list[Judged]:
    return judged(meaning_corpus.videos())


def test_there_are_enough_questions_passages_and_videos(found: list[Judged]) -> None:
    videos = meaning_corpus.videos()
    assert len(found) >= 80
    assert sum(each.across for each in found) >= 15
    assert len({each.question.question for each in found}) == len(found)
    assert len(videos) >= 100
    assert sum(len(cut(each.outcome.lines)) for each in videos.values()) >= 1_500


def test_no_question_has_a_word_of_its_passage(found: list[Judged]) -> None:
    """Across languages some words are the same, such as names."""
    shared = {
        each.question.question: words
        for each in found
        if not each.across
        and (words := content_words(each.question.question) & content_words(each.passage.text))
    }
    assert shared == {}


def test_each_question_says_something(found: list[Judged]) -> None:
    assert [each.question.question for each in found if not content_words(each.question.question)] == []


def test_forms_of_a_word_count_as_the_word() -> None:
    assert content_words("He photographed the SAILS.") == content_words("photography, sail")
    assert content_words("Why would you not do that?") == set()
    assert content_words("Kälte") == content_words("kalte")


def test_the_second_is_where_a_story_is_told() -> None:
    videos = meaning_corpus.videos()
    stories = [each for each in judged(videos) if each.question.video in ("glacier", "marche")]
    assert {word in each.passage.text for each in stories for word in ("Iceland", "bombé")} == {True, False}
    for each in stories:
        assert each.question.second == meaning_corpus.story_second(
            each.question.video, videos[each.question.video]
        )
