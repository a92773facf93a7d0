"""The start of a function: what has to happen once, before the first request."""

from __future__ import annotations

import gc
import os
import sys

from shared import config, logs
from shared.config import Config

#: New objects until Python looks for reference cycles. A delivery makes thousands of objects and leaves few
#: cycles. Looking as often as by default takes 7 % of a fetcher's processor time.
_GC_THRESHOLD = 20_000
#: Seconds that one thread runs until it lets another in. At Python's own 5 ms a fetcher with two hundred
#: waiting threads needs a sixth more processor time.
_SWITCH_INTERVAL = 0.03


def begin(*needed: str) -> Config:
    """Prepares this process and returns its configuration. Each main.py calls it once.

    ``needed``: variables without which a deployed function cannot do its work, besides the project.

    Raises:
        ConfigError: a variable is wrong; or it names each one that is missing or still a placeholder.
    """
    logs.configure()
    gc.set_threshold(_GC_THRESHOLD, 10, 10)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    settings = config.load()
    settings.require(*needed)
    return settings


def yield_to_others(settings: Config) -> None:
    """Gives this process the lowest priority on a machine that it shares with the other functions."""
    if settings.local and settings.k_service is not None:
        os.nice(19)
