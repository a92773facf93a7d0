"""The parameters of a request to the Data API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a method. ``user``: None for an API key. ``origin``: of the URLs of thumbnails, without
    a slash at the end."""

    query: Mapping[str, Sequence[str]]
    user: str | None
    origin: str

    def text(self, name: str) -> str:
        values = self.query.get(name)
        return values[0] if values else ""

    def texts(self, name: str) -> list[str]:
        """The values of a parameter that is repeated, or separated by commas, or both."""
        return [part for value in self.query.get(name, ()) for part in value.split(",") if part]

    @property
    def mine(self) -> bool:
        return self.text("mine").lower() == "true"
