"""Structured logs: one JSON object a line, as Cloud Logging reads them, with the fields of the work at hand.

https://cloud.google.com/logging/docs/structured-logging
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_fields: ContextVar[dict[str, object]] = ContextVar("log_fields", default={})  # noqa: B039 never mutated

#: What must not stand in a log: bearer and API tokens, authorization codes, e-mail addresses.
_SECRETS = re.compile(
    # The quotes of JSON within JSON are escaped.
    r"(?P<key>(?:basic|bearer|token|code|key|password|secret|session|authorization|verifier|nonce)"
    r"\\*[\"']?\s*[=: ]\s*\\*[\"']?)"
    r"[A-Za-z0-9._~%+/=-]{12,}"
    # Our own, Google's access and refresh tokens and codes, and JSON Web Tokens, wherever they stand.
    r"|(?P<token>\b(?:yts_|ya29\.|1//|4/0|eyJ)[A-Za-z0-9._-]{8,})"
    r"|(?P<mail>\b[\w.+-]+@[\w-]+\.[\w.-]+\b)",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text with tokens, codes and e-mail addresses replaced."""
    return _SECRETS.sub(lambda found: (found["key"] or "") + "[redacted]", text)


@contextmanager
def context(**fields: object) -> Iterator[None]:
    """Adds fields to every line written inside."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def _write(severity: str, message: str, fields: dict[str, object]) -> None:
    entry = {
        "severity": severity,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "message": message,
        **_fields.get(),
        **fields,
    }
    line = redact(json.dumps(entry, ensure_ascii=False, default=str))
    # Half a surrogate pair (JSON can carry one) is no UTF-8, and must not stop what is being logged.
    line = line.encode("utf-8", "replace").decode("utf-8")
    # One write a line: threads must not interleave.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def info(message: str, **fields: object) -> None:
    _write("INFO", message, fields)


def warning(message: str, **fields: object) -> None:
    _write("WARNING", message, fields)


def error(message: str, cause: BaseException | None = None, **fields: object) -> None:
    """``cause``: its traceback goes along."""
    if cause is not None:
        fields["traceback"] = "".join(traceback.format_exception(cause))
    _write("ERROR", message, fields)
