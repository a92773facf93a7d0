"""The simulation of many users: it runs, keeps to the quota, and agrees with the pages that quote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import scale, scale_costs
from tests.benchmarks.scale import World
from tests.benchmarks.scale_costs import Habits, Measured, Month, Prices

DOCS = Path(__file__).parents[2] / "docs"


def world(users: int = 60, quota: int = 100_000) -> World:
    return World(users, quota, median=50, sigma=0.3, days=30, after=30, catalogue=20_000)


def days(of: World) -> list[scale.Day]:
    return scale.simulate(of, np.random.default_rng(1))


def rows(page: str, heading: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of the tables below a heading: the first cell, and the others."""
    below = (DOCS / page).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in re.findall(r"^\|(.*)\|$", below, re.MULTILINE):
        name, *cells = (cell.strip(" *") for cell in line.split("|"))
        yield name, cells


def test_every_user_comes_and_every_video_is_counted_once() -> None:
    found = days(world())
    month = scale.month(found, len(found))
    assert month.users == 60
    assert month.stored < month.places
    assert month.arrivals == 0
    assert month.fetched + month.reused == round(sum(day.fetched + day.reused for day in found[30:]))
    # The libraries grow by a hundredth a week.
    assert month.fetched + month.reused == pytest.approx(month.places * 0.01 * 30 / 7, rel=0.1)


def test_a_small_quota_makes_first_jobs_wait_and_sources_be_late() -> None:
    enough, small = days(world()), days(world(quota=40))
    assert max(day.units for day in small) <= 40
    assert max(wait for day in enough for wait in day.waits) == 0
    assert max(wait for day in small for wait in day.waits) > 0
    assert small[-1].wanted > small[-1].refreshing
    assert enough[-1].wanted == enough[-1].refreshing


def test_more_of_everything_costs_more() -> None:
    month = Month(
        users=10_000,
        places=24_000_000,
        stored=10_000_000,
        arrivals=3_000,
        fetched=3_000_000,
        reused=4_000_000,
        jobs=200_000,
        looks=900_000,
    )
    few = Month(**{name: getattr(month, name) // 10 for name in Month.__slots__})
    more, less = (scale_costs.costs(each, Habits(), Measured(), Prices()) for each in (month, few))
    fixed = {"function sweep", "Pub/Sub, Scheduler, Secret Manager, images", "logs"}
    assert all(more[name] > less[name] for name in more.keys() - fixed)
    assert more["sum"] == pytest.approx(sum(list(more.values())[:-3]))
    assert {f"function {name}" for name in ("refresh", "keep", "embedder", "mcp")} <= more.keys()


def test_search_servers_have_the_memory_and_the_disks_that_the_index_needs() -> None:
    variables = (DOCS.parent / "infra/terraform/variables.tf").read_text()
    assert f"var.elasticsearch_disk_gb <= {scale_costs.LARGEST_DISK} " in variables
    for videos in (0, 100_000, 1_000_000, 10_000_000):
        found = scale_costs.servers(videos, Measured())
        assert found.number * found.machine.memory >= found.memory
        assert found.number * scale_costs.LARGEST_DISK >= found.disk >= 2 * found.index
    assert scale_costs.servers(0, Measured()).machine.name == "e2-medium"


def test_the_script_prints_what_the_page_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["scale", "--users", "50", "--median", "20", "--quota", "1000"])
    scale.main()
    printed = [line.split(" | ")[0].removeprefix("| ") for line in capsys.readouterr().out.splitlines()]
    shown = [name for name, _ in rows("performance.md", "Scale") if name and not name.startswith("---")]
    assert [name for name in printed if name] == [name for name in shown if name != "wall"]


def test_the_costs_of_a_deployment_are_those_of_the_simulation() -> None:
    shown = dict(rows("deploying.md", "Cost"))
    for name, calculated in scale.deploying():
        (cells,) = (shown[each] for each in shown if each.startswith(name))
        assert [re.findall(r"\d+", cell)[0] for cell in cells] == calculated.split(" | "), name
