"""infra/pipeline.py: what the description says, and what is wrong with a wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.pipeline import PIPELINE_FILE, SPARE_THREADS, PipelineError, load_pipeline
from shared.config import Config


def _config(**variables: str) -> Config:
    return Config.from_env(variables)


def test_the_description_is_sound() -> None:
    pipeline = load_pipeline(_config())
    functions = {function.name: function for function in pipeline.functions}
    assert set(pipeline.topics) == {"playlists", "videos", "transcripts", "dead-letters"}
    assert functions["search"].routes == ("/api/search", "/api/suggest", "/api/videos")
    assert functions["sweep"].routes == ()
    fetcher = next(each for each in pipeline.subscriptions if each.name == "fetcher")
    assert (fetcher.topic, fetcher.ack_deadline_seconds, fetcher.max_delivery_attempts) == (
        "videos",
        120,
        100,
    )
    dead_letters = next(each for each in pipeline.subscriptions if each.name == "dead_letters")
    assert dead_letters.max_delivery_attempts is None


def test_fetch_concurrency_is_the_environments_and_threads_follow_it() -> None:
    pipeline = load_pipeline(_config(FETCH_CONCURRENCY="7"))
    fetcher = next(each for each in pipeline.subscriptions if each.name == "fetcher")
    function = next(each for each in pipeline.functions if each.name == "fetcher")
    # What is at YouTube, and what reads and stores beside it.
    assert fetcher.local_concurrency == 10
    assert function.threads == 10 + SPARE_THREADS


def _with(path: str, value: Any, tmp_path: Path) -> Path:
    root = yaml.safe_load(PIPELINE_FILE.read_text(encoding="utf-8"))
    *parents, last = path.split(".")
    place = root
    for name in parents:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    file = tmp_path / "pipeline.yaml"
    file.write_text(yaml.safe_dump(root), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("topics", "videos", "topics: expected a list of texts, found 'videos'"),
        ("subscriptions.fetcher.topic", "vidoes", "fetcher.topic: expected one of playlists.*found 'vidoes'"),
        ("subscriptions.fetcher.ack_deadline_seconds", 5, "expected a whole number from 10 to 600, found 5"),
        ("subscriptions.fetcher.ack_deadline_seconds", True, "expected a whole number.*found True"),
        ("subscriptions.fetcher.max_delivery_attempts", None, "fetcher.max_delivery_attempts: expected"),
        ("subscriptions.fetcher.local_concurrency", "$OTHER", r"expected a whole number.*found '\$OTHER'"),
        ("subscriptions.fetcher", None, "functions.fetcher: expected a subscription of that name"),
        ("functions.fetcher", None, "subscriptions.fetcher: expected a function of that name"),
        ("functions.search.trigger", "push", "search.trigger: expected http or pubsub, found 'push'"),
        ("functions.search.routes", ["/search"], "expected prefixes below /api/, found '/search'"),
        ("functions.search.memory_mb", None, "search.memory_mb: expected a whole number.*found None"),
        ("functions.search", "small", "functions.search: expected fields and values, found 'small'"),
        ("dead_letter_topic", "elsewhere", "dead_letter_topic: expected one of.*found 'elsewhere'"),
        ("schedules.sweep.function", "clean", "sweep.function: expected a function, found 'clean'"),
    ],
)
def test_a_mistake_is_named(path: str, value: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=message):
        load_pipeline(_config(), _with(path, value, tmp_path))


def test_what_is_not_yaml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("topics: [", encoding="utf-8")
    with pytest.raises(PipelineError, match="expected YAML"):
        load_pipeline(_config(), file)
