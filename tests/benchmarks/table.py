"""A table of what was measured: each row beside its limit and what is to be reached, printed as it comes."""

from __future__ import annotations


class Table:
    """``limit`` is the physical one, ``goal`` the one to reach."""

    def add(self, work: str, measured: float, unit: str, goal: float, limit: float | None = None) -> None:
        ratio = f"{measured / limit:.2f}" if limit else ""
        shown = f"{limit:g} {unit}" if limit is not None else ""
        reached = "yes" if measured <= goal else "NO"
        self._print(work, f"{measured:.3g} {unit}", shown, ratio, f"≤ {goal:g} {unit}: {reached}")

    def note(self, work: str, measured: str) -> None:
        self._print(work, measured, "", "", "")

    def head(self) -> None:
        self._print("work", "measured", "limit", "ratio", "to reach")

    @staticmethod
    def _print(*row: str) -> None:
        print("| {:<52} | {:>12} | {:>9} | {:>5} | {:<16} |".format(*row), flush=True)
