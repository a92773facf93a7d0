"""infra/local/servers/heap.py: how full the memory of the Firestore emulator is."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.servers.heap import MemoryWatch, most_used_mb, suitable_mb
from infra.local.state_dir import StateDir


def collected(*megabytes: int) -> str:
    """A log of Java 17 with complete collections after which so much was in use, and some that are not."""
    lines = [
        "[0.003s][info][gc] Using Serial",
        "[0.7s][info][gc] GC(0) Pause Young (Allocation Failure) 90M->85M(92M) 6.5ms",
    ]
    for number, after in enumerate(megabytes):
        lines.append(
            f"[8.0s][info][gc] GC({number}) Pause Full (Allocation Failure) 91M->{after}M(92M) 85.8ms"
        )
        lines.append(f"[9.0s][info][gc] GC({number}) Pause Young (Allocation Failure) 91M->91M(92M) 0.03ms")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (None, 0),
        ("", 0),
        (collected(), 0),
        (collected(8), 8),
        (collected(63, 75, 80), 80),
        (collected(80, 12), 80),
        ("[6.0s][info][gc] GC(2) Pause Full (Metadata GC Threshold) 1021M->1008M(1024M) 51.213ms\n", 1008),
        ("\x00\xff torn", 0),
    ],
)
def test_the_most_that_was_in_use_after_a_complete_collection(
    log: str | None, found: int, tmp_path: Path
) -> None:
    path = tmp_path / "gc.log"
    if log is not None:
        path.write_bytes(log.encode("latin-1"))
    assert most_used_mb(path) == found


def test_a_person_is_told_when_it_fills_and_nothing_is_fetched_while_it_is_full(tmp_path: Path) -> None:
    state, said = StateDir(tmp_path), list[str]()
    state.run.mkdir()
    state.full.write_text("of a run that was killed")
    watch = MemoryWatch(state, 100, said.append)
    for used, full, lines in [
        *((10, False, 0), (64, False, 0), (65, False, 1), (20, False, 1), (75, False, 1)),
        *((80, True, 2), (99, True, 2), (20, True, 2), (70, True, 2)),
    ]:
        state.gc_log.write_text(collected(used), encoding="utf-8")
        watch.look()
        assert (state.full.exists(), len(said)) == (full, lines), used
        if full:
            assert state.full.read_text().startswith(
                "The library fills 80 of 100 MB of memory, so nothing more"
            )
            assert "FIRESTORE_MEMORY_MB=200 ./emulators.sh up" in state.full.read_text()
    assert "65 of 100 MB" in said[0]


@pytest.mark.parametrize(
    ("gigabytes", "limit", "suits"),
    [
        (2, "max", 1024),
        (6, "max", 2048),
        (6, None, 2048),
        (64, "max", 4096),
        (64, f"{3 * 2**29 * 3}", 1536),
    ],
)
def test_the_emulator_may_use_a_third_of_the_memory_of_the_machine_or_container(
    gigabytes: int, limit: str | None, suits: int, tmp_path: Path
) -> None:
    if limit is not None:
        (tmp_path / "memory.max").write_text(limit)
    assert suitable_mb(gigabytes * 2**30, tmp_path / "memory.max") == suits
