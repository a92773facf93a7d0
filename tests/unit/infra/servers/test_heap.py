"""infra/local/servers/heap.py: how full the memory of the Firestore emulator is."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.servers.heap import MemoryWatch, used_mb


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
        (None, None),
        ("", None),
        (collected(), None),
        (collected(8), 8),
        (collected(63, 75, 80), 80),
        (collected(80, 12), 12),
        ("[6.0s][info][gc] GC(2) Pause Full (Metadata GC Threshold) 1021M->1008M(1024M) 51.213ms\n", 1008),
        ("\x00\xff torn", None),
    ],
)
def test_what_is_in_use_after_a_complete_collection(
    log: str | None, found: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "gc.log"
    if log is not None:
        path.write_bytes(log.encode("latin-1"))
    assert used_mb(path) == found


def test_a_person_is_told_once_at_each_level(tmp_path: Path) -> None:
    path, said = tmp_path / "gc.log", list[str]()
    watch = MemoryWatch(path, 100, said.append)
    for used, lines in [(10, 0), (74, 0), (75, 1), (80, 1), (91, 2), (99, 2), (20, 2), (76, 3)]:
        path.write_text(collected(used), encoding="utf-8")
        watch.look()
        assert len(said) == lines, used
    assert "75 of 100 MB" in said[0]
    assert "FIRESTORE_MEMORY_MB" in said[0]
