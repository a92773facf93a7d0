"""What Elasticsearch's errors mean to whoever asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shared.errors import DeliveryError, Permanent, Transient


def _passing(status: int) -> bool:
    # 401 and 403: a key being rotated is somebody's mistake to mend, not the document's fault.
    return status in (401, 403, 408, 429) or status >= 500


def refusal(error: Mapping[str, Any]) -> DeliveryError:
    """The error of one document: ``{"status", "type", "reason"}``."""
    status = int(error["status"])
    cause = error.get("caused_by", {})
    reason = f"{error.get('type')}: {error.get('reason')}" + (
        f" ({cause['reason']})" if "reason" in cause else ""
    )
    if _passing(status):
        return Transient(f"Elasticsearch is busy or unwell (status {status}, {reason:.500})")
    return Permanent(f"Elasticsearch refuses this document (status {status}, {reason:.500})")


@contextmanager
def explained() -> Iterator[None]:
    """Turns the client's errors into Transient (down, slow, overloaded) or Permanent (refused)."""
    from elasticsearch import ApiError, TransportError

    try:
        yield
    except ApiError as error:
        info = error.body if isinstance(error.body, dict) else {}
        details = info.get("error", {})
        if not isinstance(details, dict):
            details = {"reason": str(details)}
        raise refusal({"type": error.message, **details, "status": error.meta.status}) from error
    except TransportError as error:
        raise Transient(
            f"Elasticsearch does not answer ({type(error).__name__}: {error.message:.200})"
        ) from error
