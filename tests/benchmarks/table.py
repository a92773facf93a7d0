"""A table of measurements. Each row is printed as soon as it is measured."""

from __future__ import annotations


class Table:
    """``limit``: nothing can be faster. ``bound``: what is measured must not exceed it."""

    def add(self, work: str, measured: float, unit: str, bound: float, limit: float | None = None) -> None:
        ratio = f"{measured / limit:.2f}" if limit else ""
        shown = f"{limit:g} {unit}" if limit is not None else ""
        held = "yes" if measured <= bound else "NO"
        self._print(work, f"{measured:.3g} {unit}", shown, ratio, f"≤ {bound:g} {unit}: {held}")

    def note(self, work: str, measured: str, limit: float | None = None) -> None:
        """A row without a bound. ``limit``: in seconds."""
        self._print(work, measured, f"{limit:g} s" if limit is not None else "", "", "")

    def head(self) -> None:
        self._print("work", "measured", "limit", "ratio", "bound")

    @staticmethod
    def _print(*row: str) -> None:
        print("| {:<60} | {:>12} | {:>9} | {:>5} | {:<16} |".format(*row), flush=True)
