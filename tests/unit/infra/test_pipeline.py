"""infra/pipeline.py: the content of the file, and the errors of wrong files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.pipeline import PIPELINE_FILE, SPARE_THREADS, PipelineError, load_pipeline
from shared.config import Config


def _config(**variables: str) -> Config:
    return Config.from_env(variables)


def test_the_file_is_correct() -> None:
    pipeline = load_pipeline(_config())
    functions = {function.name: function for function in pipeline.functions}
    assert set(pipeline.topics) == {"playlists", "videos", "transcripts", "passages", "dead-letters"}
    assert functions["search"].routes == (
        "/api/search",
        "/api/suggest",
        "/api/videos",
        "/api/link",
        "/api/export",
    )
    assert functions["sweep"].routes == ()
    subscriptions = {subscription.name: subscription for subscription in pipeline.subscriptions}
    fetcher = subscriptions["fetcher"]
    assert (fetcher.topic, fetcher.ack_deadline_seconds, fetcher.max_delivery_attempts) == (
        "videos",
        120,
        100,
    )
    assert subscriptions["dead_letters"].max_delivery_attempts is None


def test_fetch_concurrency_sets_deliveries_and_threads_of_the_fetcher() -> None:
    pipeline = load_pipeline(_config(FETCH_CONCURRENCY="7"))
    fetcher = next(each for each in pipeline.subscriptions if each.name == "fetcher")
    function = next(each for each in pipeline.functions if each.name == "fetcher")
    # Seven requests to YouTube, and three tenths more deliveries that read and store.
    assert fetcher.local_concurrency == 10
    assert function.threads == 10 + SPARE_THREADS


def _changed(tmp_path: Path, path: str, value: Any) -> Path:
    """A copy of the file with one field changed, or removed if the value is None."""
    root = yaml.safe_load(PIPELINE_FILE.read_text(encoding="utf-8"))
    *parents, last = path.split(".")
    fields = root
    for name in parents:
        fields = fields[name]
    if value is None:
        del fields[last]
    else:
        fields[last] = value
    file = tmp_path / "pipeline.yaml"
    file.write_text(yaml.safe_dump(root, sort_keys=False), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("topics", "videos", "pipeline.yaml.topics: expected array, got str, found 'videos'"),
        ("topics", None, "pipeline.yaml: object missing required field topics, found {"),
        (
            "subscriptions.fetcher.topic",
            "vidoes",
            "subscriptions.fetcher.topic: expected one of playlists, videos, transcripts, passages,"
            " dead-letters, found 'vidoes'",
        ),
        (
            "subscriptions.fetcher.ack_deadline_seconds",
            5,
            "subscriptions.fetcher.ack_deadline_seconds: expected int >= 10, found 5",
        ),
        (
            "subscriptions.fetcher.ack_deadline_seconds",
            True,
            "subscriptions.fetcher.ack_deadline_seconds: expected int, got bool, found True",
        ),
        (
            "subscriptions.fetcher.max_delivery_attempts",
            None,
            "subscriptions.fetcher: object missing required field max_delivery_attempts, found {",
        ),
        (
            "subscriptions.fetcher.local_concurrency",
            "$OTHER",
            "subscriptions.fetcher.local_concurrency: expected int, got str, found '$OTHER'",
        ),
        (
            "subscriptions.fetcher",
            None,
            "functions.fetcher: expected a subscription of that name, found none",
        ),
        ("functions.fetcher", None, "subscriptions.fetcher: expected a function of that name, found none"),
        (
            "functions.search.trigger",
            "push",
            "functions.search.trigger: expected str matching regex '^(http|pubsub)$', found 'push'",
        ),
        (
            "functions.search.routes",
            ["/search"],
            "functions.search.routes[0]: expected str matching regex '^/(api/|mcp$)', found '/search'",
        ),
        (
            "functions.search.memory_mb",
            None,
            "functions.search: object missing required field memory_mb, found {",
        ),
        (
            "functions.search.thread",
            4,
            "functions.search: object contains unknown field thread, found {",
        ),
        ("functions.search", "small", "functions.search: expected object, got str, found 'small'"),
        (
            "dead_letter_topic",
            "elsewhere",
            "dead_letter_topic: expected one of playlists, videos, transcripts, passages, dead-letters,"
            " found 'elsewhere'",
        ),
        ("schedules.sweep.function", "clean", "schedules.sweep.function: expected one of index, "),
    ],
)
def test_an_error_says_where_what_was_expected_and_what_was_found(
    path: str, value: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(PipelineError) as raised:
        load_pipeline(_config(), _changed(tmp_path, path, value))
    assert str(raised.value).startswith(message)


def test_a_file_that_is_not_yaml_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text("topics: [", encoding="utf-8")
    with pytest.raises(PipelineError, match="expected YAML"):
        load_pipeline(_config(), file)
