"""The control API under ``/_control/``, for tests and demonstrations. README.md lists its requests.

Answers are JSON; what cannot be understood is a 400 ``{"error": …}`` and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from infra.local.standin import definitions, partial
from infra.local.standin.faults import KINDS, ControlError, check_fields
from infra.local.standin.wire import Reply, json_reply

if TYPE_CHECKING:
    from infra.local.standin.server import StandIn

PREFIX = "/_control/"
_TOKEN_SCOPES = ("openid", "email", "https://www.googleapis.com/auth/youtube.readonly")
_SETTINGS: dict[str, type | tuple[type, ...]] = {
    "innertube_key": str, "partial_answers": str, "quota_limit": int, "api_keys": list, "proxy_users": dict,
}  # fmt: skip


class Control:
    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        self._get: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "": self._overview,
            "stats": lambda query: standin.stats.as_json(query.get("videos") != "0") | self._quota(),
            "latency": lambda _: standin.latency.as_json(),
            "faults": lambda _: {
                "faults": [rule.as_json() for rule in standin.faults.rules()],
                "kinds": {kind: sorted(endpoints) for kind, endpoints in KINDS.items()},
            },
            "addresses": lambda _: standin.addresses.as_json(),
            "settings": lambda _: self._settings(),
            "oauth": lambda _: standin.oauth.state.as_json(),
            "playlists": lambda _: {
                "playlists": [
                    {"id": each.id, "title": each.title, "owner": each.owner, "privacy": each.privacy,
                     "videos": list(each.video_ids)}
                    for each in standin.catalog.playlists().values()
                ]
            },
        }  # fmt: skip
        self._post: dict[str, Callable[[Any], Any]] = {
            "reset": self._reset,
            "latency": self._set_latency,
            "faults": self._add_faults,
            "addresses": self._limit,
            "settings": self._set,
            "oauth": self._set_oauth,
            "token": self._token,
            "playlists": self._define,
            "prepare": self._prepare,
        }

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        name = path.removeprefix(PREFIX).rstrip("/")
        try:
            if method == "GET" and name.startswith("videos/"):
                return self._video(name.partition("/")[2])
            if method == "DELETE" and name == "faults":
                return json_reply(self._remove(query.get("id")), False)
            if method == "GET" and name in self._get:
                return json_reply(self._get[name](query), False)
            if method == "POST" and name in self._post:
                return json_reply(self._post[name](_json(body)), False)
        except ControlError as error:
            return json_reply({"error": str(error)}, False, 400)
        known = sorted({*self._get, *self._post, "videos/ID"})
        return json_reply({"error": f"expected one of {known}, found {method} {name!r}"}, False, 404)

    def _overview(self, _: Mapping[str, str]) -> dict[str, Any]:
        return {"read": sorted(filter(None, self._get)), "change": sorted(self._post), "kinds": sorted(KINDS)}

    def _quota(self) -> dict[str, Any]:
        quota = self._standin.data_api.quota
        return {"quota": {"used": quota.used, "limit": quota.limit}}

    def _video(self, video_id: str) -> Reply:
        video = self._standin.catalog.video(video_id)
        if video is None:
            return json_reply({"error": f"expected a known video, found {video_id!r}"}, False, 404)
        return json_reply(definitions.video_as_json(video), False)

    def _reset(self, body: Any) -> dict[str, Any]:
        resets = self._standin.resets()
        wanted = _object(body).get("what", list(resets))
        if not isinstance(wanted, list) or not set(wanted) <= set(resets):
            raise ControlError(f"expected 'what' to be a list of {sorted(resets)}, found {wanted!r}")
        for name in wanted:
            resets[name]()
        return {"reset": wanted}

    def _set_latency(self, body: Any) -> dict[str, Any]:
        self._standin.latency.change(_object(body))
        return self._standin.latency.as_json()

    def _add_faults(self, body: Any) -> dict[str, Any]:
        rules = body if isinstance(body, list) else [body]
        return {"ids": [self._standin.faults.add(_object(each)).id for each in rules]}

    def _remove(self, rule_id: str | None) -> dict[str, Any]:
        if rule_id is None:
            self._standin.faults.reset()
        elif not self._standin.faults.remove(rule_id):
            raise ControlError(f"expected the id of a fault, found {rule_id!r}")
        return {"removed": rule_id or "all"}

    def _limit(self, body: Any) -> dict[str, Any]:
        for each in body if isinstance(body, list) else [body]:
            self._standin.addresses.limit(_object(each))
        return self._standin.addresses.as_json()

    def _settings(self) -> dict[str, Any]:
        quota = self._standin.data_api.quota
        return {
            "innertube_key": self._standin.innertube_key,
            "partial_answers": self._standin.partial_answers,
            "quota_limit": quota.limit,
            "api_keys": None if quota.keys is None else sorted(quota.keys),
            "proxy_users": self._standin.proxy_users.passwords,
        }

    def _set(self, body: Any) -> dict[str, Any]:
        fields = _object(body)
        check_fields({name: value for name, value in fields.items() if value is not None}, _SETTINGS)
        quota = self._standin.data_api.quota
        if way := fields.get("partial_answers"):
            if way not in partial.WAYS:
                raise ControlError(f"expected 'partial_answers' to be one of {partial.WAYS}, found {way!r}")
            self._standin.partial_answers = way
        if fields.get("innertube_key"):
            self._standin.innertube_key = fields["innertube_key"]
        if "quota_limit" in fields:
            quota.limit = fields["quota_limit"]
        if "api_keys" in fields:
            quota.keys = None if fields["api_keys"] is None else set(fields["api_keys"])
        if "proxy_users" in fields:
            self._standin.proxy_users.passwords = fields["proxy_users"]
        return self._settings()

    def _set_oauth(self, body: Any) -> dict[str, Any]:
        self._standin.oauth.state.change(_object(body))
        return self._standin.oauth.state.as_json()

    def _token(self, body: Any) -> dict[str, Any]:
        fields = _object(body)
        check_fields(fields, {"user": str, "scopes": list, "client_id": str})
        scopes = tuple(map(str, fields.get("scopes", _TOKEN_SCOPES)))
        client_id = fields.get("client_id", "control")
        return self._standin.oauth.grants.issue(fields.get("user", "demo"), scopes, client_id)

    def _define(self, body: Any) -> dict[str, Any]:
        fields = _object(body)
        check_fields(fields, {"videos": list, "playlists": list})
        catalog = self._standin.catalog
        videos = [definitions.video(_object(each), catalog.video) for each in fields.get("videos", [])]
        playlists = [definitions.playlist(_object(each)) for each in fields.get("playlists", [])]
        catalog.define(videos, playlists)
        self._standin.timedtext.forget()
        return {"videos": [each.id for each in videos], "playlists": [each.id for each in playlists]}

    def _prepare(self, body: Any) -> dict[str, Any]:
        fields = _object(body)
        check_fields(fields, {"videos": list})
        videos = []
        for video_id in fields.get("videos", []):
            video = self._standin.catalog.video(str(video_id))
            if video is None:
                raise ControlError(f"expected known videos, found {video_id!r}")
            videos.append(video)
        for video in videos:
            self._standin.timedtext.prepare(video)
        return {"prepared": len(videos)}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise ControlError(f"expected JSON, found {body[:80]!r}") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ControlError(f"expected a JSON object, found {value!r:.80}")
    return value
