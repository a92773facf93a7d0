"""Structured logs: one JSON object a line, in the form that Cloud Logging reads.

https://cloud.google.com/logging/docs/structured-logging

:func:`configure` sends every logger of the process through one formatter, so lines of libraries are
JSON and redacted, too. Fields set by :func:`context` are added to each line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

_LOGGER = logging.getLogger("yts")
_fields: ContextVar[dict[str, object]] = ContextVar("log_fields", default={})  # noqa: B039 never mutated

#: Secrets that must not be logged: bearer and API tokens, authorization codes, e-mail addresses.
_SECRETS = re.compile(
    # In JSON inside JSON the quotes are escaped.
    r"(?P<key>(?:basic|bearer|token|code|key|password|secret|session|authorization|verifier|nonce)"
    r"\\*[\"']?\s*[=: ]\s*\\*[\"']?)"
    r"[A-Za-z0-9._~%+/=-]{12,}"
    # Our own tokens, Google's access tokens, refresh tokens and codes, and JSON Web Tokens, anywhere.
    r"|(?P<token>\b(?:yts_|ya29\.|1//|4/0|eyJ)[A-Za-z0-9._-]{8,})"
    r"|(?P<mail>\b[\w.+-]+@[\w-]+\.[\w.-]+\b)",
    re.IGNORECASE,
)


#: Error Reporting groups lines of this type by their stack trace, or by their message
#: (https://cloud.google.com/error-reporting/docs/formatting-error-messages).
_ERROR_EVENT = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"

#: The headers that name the trace of a request (https://www.w3.org/TR/trace-context/,
#: https://cloud.google.com/trace/docs/trace-context). The second one writes the span as a decimal number.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/(\d{1,20}))?(?:;.*)?")


def trace_of(headers: Mapping[str, str] | Headers, project: str) -> dict[str, str]:
    """The fields by which Cloud Logging shows lines below their request. Empty without a header."""
    if found := _TRACEPARENT.fullmatch(headers.get("traceparent", "")):
        trace, span = found[1], found[2]
    elif found := _CLOUD_TRACE.fullmatch(headers.get("X-Cloud-Trace-Context", "")):
        trace, span = found[1].lower(), f"{int(found[2] or 0):016x}"
    else:
        return {}
    fields = {"logging.googleapis.com/trace": "/".join(("projects", project, "traces", trace))}
    # Zero means that there is no span. More than 64 bits are no span either.
    if len(span) == 16 and span.strip("0"):
        fields["logging.googleapis.com/spanId"] = span
    return fields


def redact(text: str) -> str:
    """The text with tokens, codes and e-mail addresses replaced."""
    return _SECRETS.sub(lambda found: (found["key"] or "") + "[redacted]", text)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "message": record.getMessage(),
            **_fields.get(),
            **getattr(record, "fields", {}),
        }
        if record.name != _LOGGER.name:
            entry["logger"] = record.name
        if record.levelno >= logging.ERROR:
            entry["@type"] = _ERROR_EVENT
        if record.exc_info:
            entry["stack_trace"] = self.formatException(record.exc_info)
        line = redact(json.dumps(entry, ensure_ascii=False, default=str))
        # JSON can carry half a surrogate pair, which UTF-8 cannot encode.
        return line.encode("utf-8", "replace").decode("utf-8")


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            # One write a line, so that lines of several threads do not mix.
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            # A log line of a library that cannot be formatted must not end the work that wrote it.
            self.handleError(record)


def configure() -> None:
    """Sends all logs of this process to standard output as JSON. Our own from INFO, others from WARNING."""
    handler = _Handler()
    handler.setFormatter(_Formatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _LOGGER.setLevel(logging.INFO)
    # Google's client libraries turn this off when they are imported.
    logging.getLogger("google").propagate = True


@contextmanager
def context(**fields: object) -> Iterator[None]:
    """Adds fields to every line that is logged inside the block."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def info(message: str, **fields: object) -> None:
    _LOGGER.info(message, extra={"fields": fields})


def warning(message: str, error: BaseException | None = None, **fields: object) -> None:
    """``error`` adds its sentence, its detail for the log, and its cause."""
    if error is not None:
        fields["reason"] = str(error)
        if detail := getattr(error, "detail", None):
            fields["detail"] = detail
        if error.__cause__ is not None:
            fields["cause"] = repr(error.__cause__)
    _LOGGER.warning(message, extra={"fields": fields})


def error(message: str, cause: BaseException | None = None, **fields: object) -> None:
    """``cause`` adds its traceback, and its detail."""
    if detail := getattr(cause, "detail", None):
        fields.setdefault("detail", detail)
    _LOGGER.error(message, extra={"fields": fields}, exc_info=cause)
