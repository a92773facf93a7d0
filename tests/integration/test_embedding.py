"""Embedding on real servers: what is stored can be found by meaning, once and exactly, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import clock
from shared.config import Config
from shared.errors import ModelMissing, Transient
from shared.gcp.deliveries import Delivery
from shared.gcp.firestore import Firestore
from shared.meaning.embedder import Model
from shared.meaning.store import VideoPassages
from shared.messages import PassagesMessage
from shared.pipeline.dead_letters import DeadLetters
from shared.pipeline.embedding import Embedding
from shared.pipeline.embedding_due import FEW
from shared.pipeline.reindex import Reindex
from shared.search.index.passage_counts import PassageCounts, Progress
from shared.search.index.passages import PassageIndex
from shared.search.index.rebuild import Rebuild
from shared.search.index.writer import SearchIndex
from tests.integration.embedding_world import DELIVERY, USE, Death, EmbeddingWorld, Killed, Other
from tests.integration.recorders import RecordingIndex

NEW = "other-model-2"


@pytest.fixture
def world(config: Config, db: Firestore, elasticsearch_url: str) -> Iterator[EmbeddingWorld]:
    made = EmbeddingWorld(config, elasticsearch_url)
    yield made
    made.close()


# -- exactness ---------------------------------------------------------------------------------------


def test_a_video_is_exact_wherever_the_embedder_dies(world: EmbeddingWorld) -> None:
    world.want()
    world.index.renew(USE, 512)
    deaths: list[str] = []
    while True:
        video_id = f"dying{len(deaths)}"
        world.save(video_id)
        death = Death(len(deaths))
        try:
            world.embedding(death=death).embed(PassagesMessage(video_id), DELIVERY)
        except Killed as killed:
            deaths.append(str(killed))
        else:
            break
        # What is not finished is still due, so that it comes again.
        assert world.is_due(video_id) or "after delete passages_due" in deaths[-1]
        again = Other()
        world.embed(video_id, again)
        assert world.check(video_id) > 2
        assert not world.is_due(video_id)
        stored = deaths[-1] not in ("before create models.passages",)
        assert (again.asked == 0) is stored, "stored vectors are not made again"
    assert len(deaths) == 6, deaths


def test_deliveries_twice_late_and_of_a_changed_video(world: EmbeddingWorld) -> None:
    world.want()
    # While it is embedded, the video gets a shorter transcript, and another delivery does that.
    world.save("changed", 60)

    def change() -> None:
        world.save("changed", 20)
        world.embed("changed")

    with pytest.raises(Transient):
        world.embed("changed", Other(before=change))
    few = world.check("changed")
    world.embed("changed")
    assert world.check("changed") == few
    # The same, but the late process has stored its passages already, and its write to the index comes last.
    world.save("late", 60)
    late = world.embedding()

    class Overtaken(PassageIndex):
        def write(self, model: str, videos: Mapping[str, VideoPassages]) -> None:
            world.save("late", 20)
            world.embed("late")
            super().write(model, videos)

    late._index = Overtaken(world.server)
    late.embed(PassagesMessage("late"), DELIVERY)
    assert world.check("late") == few
    # A change after the last read keeps it due.
    world.save("due-again", 20)

    def change_twice() -> None:
        world.save("due-again", 60)
        world.embed("due-again")
        world.save("due-again", 60)

    with pytest.raises(Transient):
        world.embed("due-again", Other(before=change_twice))
    assert world.is_due("due-again")
    world.embed("due-again")
    assert world.check("due-again") > few
    assert not world.is_due("due-again")


def test_a_new_title_is_embedded_and_the_same_text_is_not(world: EmbeddingWorld) -> None:
    world.want()
    world.save("v")
    world.embed("v")
    first, model = world.store.read(USE, ["v"])["v"], Other()
    world.save("v")
    assert world.is_due("v")
    world.embed("v", model)
    assert (model.asked, world.is_due("v")) == (0, False)
    about = world.videos.read(["v"])["v"]
    now = clock.now()
    world.videos.save([replace(about, title="Moons", fetched_at=now, renamed_at=now)])
    world.embed("v", model)
    assert model.asked > 0
    assert world.store.read(USE, ["v"])["v"].vectors != first.vectors
    world.check("v")


def test_a_language_that_the_model_does_not_know_is_left_to_words(world: EmbeddingWorld) -> None:
    world.want()
    world.save("klingon", language="tlh")
    model = Other()
    world.embed("klingon", model)
    assert (world.check("klingon"), model.asked, world.is_due("klingon")) == (0, 0, False)
    assert not world.store.read(USE, ["klingon"])["klingon"].known
    world.want(listed=False)
    assert world.sweep() == []
    assert world.state.listed
    assert not world.is_due("klingon"), "it is not tried again"


# -- the sweep ---------------------------------------------------------------------------------------


def test_old_videos_catch_up_and_another_model_serves_when_it_has_all(
    world: EmbeddingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.pipeline.embedding_due._LOOKED_AT", 2)
    for number in range(3):
        world.save(f"old{number}", due=False)
    for _ in range(6):
        for video_id in world.sweep():
            world.embed(video_id)
    assert world.sweep() == []
    assert (world.state.serving, world.state.listed) == (USE, True)
    assert {world.check(f"old{number}") for number in range(3)} != {0}

    monkeypatch.setattr("shared.pipeline.embedding_due.model_of", lambda choice: Model(NEW, frozenset()))
    world.save("fresh")
    new = Other(NEW)
    world.sweep()
    world.embed("fresh")
    assert world.is_due("fresh"), "the old model leaves it to the new one"
    while world.store.count(NEW) < 4:
        assert world.state.serving == USE
        for video_id in world.sweep():
            world.embed(video_id, new)
    for _ in range(4):
        assert world.sweep() == []
    assert (world.state.serving, world.state.retired) == (NEW, None)
    assert world.indexed(NEW).keys() == {"old0", "old1", "old2", "fresh"}
    assert world.store.count(USE) == 0
    assert not world.server.client.indices.exists_alias(name=world.server.passages(USE))


def test_videos_wait_while_jobs_work_and_nothing_is_lost(
    world: EmbeddingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.want()
    job = world.jobs.start("demo", "PLwork")[0]
    for number in range(FEW + 2):
        world.save(f"v{number}")
    assert world.sweep([job]) == []
    # A job that waits for tomorrow's quota does not hold it up.
    waiting = replace(job, blocked_until=clock.now() + timedelta(hours=5))
    assert len(world.sweep([waiting])) == FEW + 2
    assert world.sweep() == [], "they are on their way"
    # The embedder finds a job at work, and gives them back.
    model = Other()
    world.embed("v0", model)
    assert (model.asked, world.is_due("v0"), world.state.held_back) == (0, True, True)
    world.jobs.cancel(job.job_id)
    assert len(world.sweep()) == FEW + 2
    assert world.sweep() == []
    # What has waited for long goes although a job works, but few at once.
    busy = world.jobs.start("demo", "PLmore")[0]
    for number in range(FEW + 2):
        world.age(f"v{number}", 30)
        world.age(f"v{number}", 30, "sent_at")
    some = world.sweep([busy])
    assert len(some) == FEW
    assert {message.anyway for _, message in world.topics.published} == {True}  # type: ignore[attr-defined]
    world.embed(some[0], model, anyway=True)
    assert not world.is_due(some[0])
    # Messages that are lost are sent again.
    assert len(world.sweep([busy], messages_lost=True)) == FEW


def test_one_that_is_never_embedded_waits_longer_each_time(world: EmbeddingWorld) -> None:
    world.want()
    world.save("deadly")
    dead_letters = DeadLetters(world.db, world.topics, RecordingIndex())
    attributes = {"CloudPubSubDeadLetterSourceDeliveryCount": "100"}
    waits = []
    for _ in range(6):
        assert world.sweep() == ["deadly"]
        before = clock.now()
        dead_letters.settle(Delivery("m", PassagesMessage("deadly").encode(), attributes, None))
        due = world.db.read("passages_due/deadly")[0].data
        assert due is not None
        waits.append(round((due["since"] - before).total_seconds() / 60))
        assert world.sweep() == []
        world.age("deadly", 0)
    assert waits == [10, 40, 160, 640, 1440, 1440]
    world.embed("deadly")
    dead_letters.settle(Delivery("m", PassagesMessage("deadly").encode(), attributes, None))
    assert not world.is_due("deadly")


def test_a_model_that_is_missing_costs_nothing_but_itself(world: EmbeddingWorld) -> None:
    world.want()
    world.save("v0")
    world.save("v1")
    there = False

    def opens() -> Other:
        if not there:
            raise ModelMissing("The file /models/weights.npz is missing.")
        return Other()

    embedding = Embedding(world.db, world.index, opens, remembered=0)
    assert len(world.sweep()) == 2
    embedding.check_model()
    assert world.state.trouble == "Search by meaning is off, because its model is missing."
    embedding.embed(PassagesMessage("v0"), DELIVERY)
    world.age("v0", 11, "sent_at")
    world.age("v1", 11, "sent_at")
    assert len(world.sweep()) == 1, "one video asks for the model"
    assert world.sweep(embedder="off") == []
    assert world.sweep() == []
    assert len(world.sweep()) == 1, "and again when another model may be wanted"
    assert world.state.trouble
    there = True
    embedding.embed(PassagesMessage("v0"), DELIVERY)
    assert not world.is_due("v0")
    assert not world.state.trouble
    assert world.sweep() == ["v1"]


def test_off_costs_nothing_and_on_again_looks_at_all(world: EmbeddingWorld) -> None:
    world.want()
    world.save("while-on")
    assert world.sweep(embedder="off") == []
    assert world.state.wanted is None
    world.save("while-off", due=False)
    world.embed("while-on")
    assert world.is_due("while-on")
    for _ in range(4):
        for video_id in world.sweep():
            world.embed(video_id)
    assert world.indexed().keys() == {"while-on", "while-off"}


# -- the index ---------------------------------------------------------------------------------------


def test_a_lost_index_is_filled_without_the_model(world: EmbeddingWorld) -> None:
    world.want()
    for video_id in ("a", "b"):
        world.save(video_id)
        world.embed(video_id)
    index = SearchIndex(world.server)
    reindex = Reindex(world.db, index, Rebuild(world.server, pause=0), world.index)
    list(reindex.run())
    assert list(reindex.run(only_outdated=True)) == [
        {"done": True, "indexed": 0, "playlists": 0, "passages": 0}
    ]
    world.index.remove(USE)
    assert list(reindex.run(only_outdated=True))[-1]["passages"] == 2
    assert min(world.check("a"), world.check("b")) > 2


def test_an_index_that_is_being_made_is_not_searched_in_vain(world: EmbeddingWorld) -> None:
    """Elasticsearch answers 503 while the shards of a new index start."""
    alias, client = world.server.passages(USE), world.server.client.options(ignore_status=404)
    with ThreadPoolExecutor(1) as pool:
        for _ in range(8):
            world.index.remove(USE)
            made = pool.submit(world.index.renew, USE, 8)
            while not made.done():
                answer = client.search(index=alias, size=0)
                assert answer.get("error", {}).get("type") in (None, "index_not_found_exception")
            made.result()
    assert client.search(index=alias)["hits"]["hits"] == []


def test_each_source_says_how_much_of_it_is_found_by_meaning(world: EmbeddingWorld) -> None:
    world.want()
    index, counts, model = (
        SearchIndex(world.server),
        PassageCounts(world.server),
        Model(USE, frozenset(["en"])),
    )
    for video_id, language in (("a", "en"), ("b", "en-GB"), ("c", "tlh")):
        world.save(video_id, language=language)
    world.embed("a")
    world.embed("c")
    list(Reindex(world.db, index, Rebuild(world.server, pause=0), world.index).run())
    world.indexed()
    index.write_membership("ada", "PLall", ["a", "b", "c"], 1)
    index.write_membership("ada", "PLb", ["b"], 1)
    index.write_membership("eve", "PLall", ["c"], 1)
    asked = ["PLall", "PLb", "PLnone"]
    assert counts.of_sources(model, "ada", asked) == {
        "PLall": Progress(1, 2),
        "PLb": Progress(0, 1),
        "PLnone": Progress(0, 0),
    }
    assert counts.of_sources(model, "eve", ["PLall"]) == {"PLall": Progress(0, 0)}
    # Whoever removes a source, or is erased, finds nothing of it.
    index.delete_membership("ada", "PLall", 2)
    assert counts.of_sources(model, "ada", ["PLall"]) == {"PLall": Progress(0, 0)}
