"""What blocks cost, in simulated time: requests that are wasted, and how long 1,000 videos take.

    python -m tests.benchmarks.bench_blocks

Prints the tables of docs/decisions/blocks.md. The simulated addresses have budgets in windows of 5 to 60 s,
and latencies of 0.02 to 0.5 s. The machines are calm or overloaded.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from statistics import fmean, median

from shared.youtube.egress.pacer import TRUSTED
from shared.youtube.egress.window import Window
from tests.unit.youtube.egress.pacing_model import BUSY, CALM, OVERLOADED, Address, Part, Processes, simulate

_BUDGETS = (10, 30, 60, 100, 200, 300, 500)
_WINDOWS, _LATENCIES, _LOADS = (5, 20, 60), (0.02, 0.1, 0.5), (CALM, BUSY, OVERLOADED)
_VIDEOS = 400


def main() -> int:
    print("| budget | processes | wasted until the first block | at most | wasted after it |")
    print("|---|---|---|---|---|")
    for budget, processes in itertools.product(_BUDGETS, (1, 2)):
        runs = [
            simulate(
                Address(budget, window), _VIDEOS, Processes((0.0,) * processes),
                latency=latency, load=load, seed=seed,
            )
            for seed, (window, latency, load) in enumerate(itertools.product(_WINDOWS, _LATENCIES, _LOADS))
        ]  # fmt: skip
        first, later = [run.first for run in runs], [run.later for run in runs]
        most = max(each.refused for each in first)
        print(f"| {budget} | {processes} | {_shares(first)} | {most} | {_shares(later)} |", flush=True)
    print("\n| 1,000 videos | new | trusted | new / trusted |\n|---|---|---|---|")
    for capacity in (50, 200):
        new, trusted = (_seconds(capacity, succeeded) for succeeded in (0, TRUSTED))
        print(f"| {capacity} at once | {new:.1f} s | {trusted:.1f} s | {new / trusted:.2f} |")
    return 0


def _shares(parts: Sequence[Part]) -> str:
    """Mean, median and worst share of requests that were refused."""
    found = [each.refused / each.requests for each in parts if each.refused]
    return ", ".join(f"{100 * share:.0f}" for share in (fmean(found), median(found), max(found))) + " %"


def _seconds(capacity: int, succeeded: int) -> float:
    """On average, if nothing is refused and a request takes half a second."""
    return fmean(
        simulate(
            Address(None), 1000, Processes(capacity=capacity, document=Window(succeeded=succeeded)),
            latency=0.45, overhead=0.05, seed=seed,
        ).seconds
        for seed in range(5)
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
