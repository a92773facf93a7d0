"""Turns the error of Google's libraries about missing credentials into a configuration error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.auth.exceptions import DefaultCredentialsError

from shared.config import ConfigError


@contextmanager
def required(emulator: str) -> Iterator[None]:
    """Raises ConfigError when the block finds no credentials. ``emulator``: the variable of the emulator."""
    try:
        yield
    except DefaultCredentialsError as error:
        raise ConfigError(
            f"GOOGLE_APPLICATION_CREDENTIALS: expected credentials of Google Cloud, or {emulator} for a"
            " local run; found neither"
        ) from error
