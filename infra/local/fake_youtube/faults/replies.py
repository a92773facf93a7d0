"""The replies of faults that concern the content of an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from infra.local.fake_youtube.captions import watch_page
from infra.local.fake_youtube.captions.player import PlayerChanges
from infra.local.fake_youtube.data_api import errors
from infra.local.fake_youtube.data_api.errors import ApiError
from infra.local.fake_youtube.faults.rules import Rule
from infra.local.fake_youtube.library.playability import UNPLAYABLE, playability
from infra.local.fake_youtube.replies import JSON, XML, Reply, compress, html_reply, json_reply

_SORRY = (
    "<html><head><title>Sorry...</title></head><body>We're sorry, but your computer may be sending "
    "automated queries.</body></html>"
)
_GARBAGE = b'<html><body>{"not": what, you expected'


def player_changes(rule: Rule) -> PlayerChanges | None:
    """For a fault that only changes what the player answers; None for any other."""
    if rule.kind == "captions_disabled":
        return PlayerChanges(captions=False)
    if rule.kind == "po_token":
        return PlayerChanges(po_token=True)
    if rule.kind in UNPLAYABLE:
        return PlayerChanges(playability(rule.kind, rule.reason, rule.subreason, rule.playability))
    return None


def blocked_reply(kind: str, endpoint: str) -> Reply:
    """The reply to a blocked address: a captcha for ``bot`` on the watch page, otherwise status 429."""
    if kind == "bot" and endpoint == "watch":
        return html_reply(watch_page.captcha())
    return html_reply(_SORRY, 429)


def _api_error(rule: Rule) -> ApiError:
    makers: dict[str, Callable[[], ApiError]] = {
        "quota_exceeded": errors.quota_exceeded,
        "rate_limit_exceeded": errors.rate_limit_exceeded,
        "key_invalid": errors.key_invalid,
        "auth_error": errors.invalid_token,
        "forbidden": errors.forbidden,
        "insufficient_scope": errors.insufficient_scope,
        "access_not_configured": errors.access_not_configured,
        "daily_limit_exceeded": errors.daily_limit_exceeded,
        "key_referrer_blocked": errors.key_referrer_blocked,
        "key_ip_blocked": errors.key_ip_blocked,
        "key_service_blocked": errors.key_service_blocked,
        "key_expired": errors.key_expired,
        "playlist_not_found": errors.playlist_not_found,
        "429": errors.rate_limit_exceeded,
    }
    return makers[rule.kind]() if rule.kind in makers else errors.backend_error(rule.status or 503)


def faulty_reply(rule: Rule, endpoint: str, gzip: bool, cookie: str, correct: Callable[[], Reply]) -> Reply:
    """`cookie`: the header of the request. `correct`: makes the reply that the client would receive without
    the fault."""
    if endpoint == "data_api" and rule.kind not in ("empty", "garbage", "truncated"):
        error = _api_error(rule)
        return json_reply(error.body(), gzip, error.code, error.headers)
    if rule.kind == "5xx":
        return html_reply("<html><title>Error</title><p>Server Error</p></html>", rule.status or 503)
    if rule.kind == "empty":
        return replace(correct(), plain=b"", gzipped=None)
    if rule.kind == "garbage":
        return Reply(200, XML if endpoint == "timedtext" else JSON, _GARBAGE)
    if rule.kind == "truncated":
        reply = correct()
        whole = reply.uncompressed()
        half = whole[: len(whole) // 2]
        return replace(reply, plain=half, gzipped=compress(half) if gzip else None)
    if rule.kind == "consent":
        if "CONSENT=YES+" in cookie and not rule.forever:
            return correct()
        return html_reply(watch_page.consent())
    return blocked_reply("bot" if rule.kind == "recaptcha" else rule.kind, endpoint)
