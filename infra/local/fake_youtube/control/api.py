"""Answers the requests of the control API, which README.md lists.

Answers are JSON. A wrong request changes nothing and is answered with 400 and ``{"error": …}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.fake_youtube.captions.partial_answers import MODES
from infra.local.fake_youtube.control import definitions
from infra.local.fake_youtube.endpoints import CONTROL_PREFIX
from infra.local.fake_youtube.faults.rules import KINDS
from infra.local.fake_youtube.fields import ControlError, FieldTypes, check_choice, check_fields, quote
from infra.local.fake_youtube.replies import Reply, json_reply
from infra.local.fake_youtube.youtube import FakeYouTube

_TOKEN_SCOPES = ("openid", "email", "https://www.googleapis.com/auth/youtube.readonly")
_SETTINGS: FieldTypes = {
    "innertube_key": str, "partial_answers": str, "quota_limit": int, "api_keys": list, "proxy_users": dict,
}  # fmt: skip


class ControlApi:
    def __init__(self, youtube: FakeYouTube) -> None:
        self._youtube = youtube
        #: By name: from the query to the JSON of the answer.
        self._get: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "": self._overview,
            "stats": self._stats,
            "latency": lambda _: youtube.latency.as_json(),
            "faults": lambda _: {
                "faults": [rule.as_json() for rule in youtube.faults.rules()],
                "kinds": {kind: sorted(endpoints) for kind, endpoints in KINDS.items()},
            },
            "addresses": lambda _: youtube.addresses.as_json(),
            "settings": lambda _: self._settings(),
            "oauth": lambda _: youtube.oauth.state.as_json(),
            "playlists": self._playlists,
        }
        #: By name: from the JSON of the request to that of the answer.
        self._post: dict[str, Callable[[Any], Any]] = {
            "reset": self._reset,
            "latency": self._set_latency,
            "faults": self._add_faults,
            "addresses": self._set_budgets,
            "settings": self._set_settings,
            "oauth": self._set_oauth,
            "token": self._issue_token,
            "playlists": self._define,
            "prepare": self._prepare,
        }

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        name = path.removeprefix(CONTROL_PREFIX).rstrip("/")
        try:
            if method == "GET" and name.startswith("videos/"):
                return self._video(name.partition("/")[2])
            if method == "DELETE" and name == "faults":
                return json_reply(self._remove_faults(query.get("id")), False)
            if method == "GET" and name in self._get:
                return json_reply(self._get[name](query), False)
            if method == "POST" and name in self._post:
                return json_reply(self._post[name](_parse_json(body)), False)
        except ControlError as error:
            return json_reply({"error": str(error)}, False, 400)
        known = ", ".join(sorted({*filter(None, self._get), *self._post, "videos/ID"}))
        return json_reply({"error": f"expected one of {known}; found {method} {name!r}"}, False, 404)

    def _overview(self, _: Mapping[str, str]) -> dict[str, Any]:
        return {"read": sorted(filter(None, self._get)), "change": sorted(self._post), "kinds": sorted(KINDS)}

    def _stats(self, query: Mapping[str, str]) -> dict[str, Any]:
        quota = self._youtube.data_api.quota
        stats = self._youtube.stats.as_json(videos=query.get("videos") != "0")
        return {**stats, "quota": {"used": quota.used, "limit": quota.limit}}

    def _playlists(self, _: Mapping[str, str]) -> dict[str, Any]:
        return {
            "playlists": [
                {
                    "id": playlist.id,
                    "title": playlist.title,
                    "owner": playlist.owner,
                    "privacy": playlist.privacy,
                    "videos": list(playlist.video_ids),
                }
                for playlist in self._youtube.catalog.playlists().values()
            ]
        }

    def _video(self, video_id: str) -> Reply:
        video = self._youtube.catalog.video(video_id)
        if video is None:
            return json_reply(
                {"error": f"expected the id of a known video; found {quote(video_id)}"}, False, 404
            )
        return json_reply(definitions.video_as_json(video), False)

    def _reset(self, body: Any) -> dict[str, Any]:
        resets = self._youtube.resets()
        names = _expect_object(body).get("what", list(resets))
        if not isinstance(names, list) or not set(names) <= set(resets):
            known = ", ".join(sorted(resets))
            raise ControlError(f"expected 'what' to be a list of names out of {known}; found {quote(names)}")
        for name in names:
            resets[name]()
        return {"reset": names}

    def _set_latency(self, body: Any) -> dict[str, Any]:
        self._youtube.latency.change(_expect_object(body))
        return self._youtube.latency.as_json()

    def _add_faults(self, body: Any) -> dict[str, Any]:
        rules = body if isinstance(body, list) else [body]
        return {"ids": [self._youtube.faults.add(_expect_object(rule)).id for rule in rules]}

    def _remove_faults(self, rule_id: str | None) -> dict[str, Any]:
        if rule_id is None:
            self._youtube.faults.reset()
        elif not self._youtube.faults.remove(rule_id):
            raise ControlError(f"expected the id of a rule; found {quote(rule_id)}")
        return {"removed": rule_id or "all"}

    def _set_budgets(self, body: Any) -> dict[str, Any]:
        for budget in body if isinstance(body, list) else [body]:
            self._youtube.addresses.limit(_expect_object(budget))
        return self._youtube.addresses.as_json()

    def _settings(self) -> dict[str, Any]:
        quota = self._youtube.data_api.quota
        return {
            "innertube_key": self._youtube.innertube_key,
            "partial_answers": self._youtube.partial_answers,
            "quota_limit": quota.limit,
            "api_keys": None if quota.keys is None else sorted(quota.keys),
            "proxy_users": self._youtube.proxy_users.passwords,
        }

    def _set_settings(self, body: Any) -> dict[str, Any]:
        fields = _expect_object(body)
        check_fields({name: value for name, value in fields.items() if value is not None}, _SETTINGS)
        quota = self._youtube.data_api.quota
        if mode := fields.get("partial_answers"):
            check_choice("partial_answers", mode, MODES)
            self._youtube.partial_answers = mode
        if fields.get("innertube_key"):
            self._youtube.innertube_key = fields["innertube_key"]
        if "quota_limit" in fields:
            quota.limit = fields["quota_limit"]
        if "api_keys" in fields:
            quota.keys = None if fields["api_keys"] is None else set(fields["api_keys"])
        if "proxy_users" in fields:
            self._youtube.proxy_users.passwords = fields["proxy_users"]
        return self._settings()

    def _set_oauth(self, body: Any) -> dict[str, Any]:
        self._youtube.oauth.state.change(_expect_object(body))
        return self._youtube.oauth.state.as_json()

    def _issue_token(self, body: Any) -> dict[str, Any]:
        fields = _expect_object(body)
        check_fields(fields, {"user": str, "scopes": list, "client_id": str})
        scopes = tuple(map(str, fields.get("scopes", _TOKEN_SCOPES)))
        client_id = fields.get("client_id", "control")
        return self._youtube.oauth.grants.issue(fields.get("user", "demo"), scopes, client_id)

    def _define(self, body: Any) -> dict[str, Any]:
        fields = _expect_object(body)
        check_fields(fields, {"videos": list, "playlists": list, "channels": list, "subscriptions": dict})
        catalog = self._youtube.catalog
        videos = [
            definitions.parse_video(_expect_object(video), catalog.video)
            for video in fields.get("videos", [])
        ]
        playlists = [
            definitions.parse_playlist(_expect_object(playlist)) for playlist in fields.get("playlists", [])
        ]
        channels = [definitions.parse_channel(_expect_object(each)) for each in fields.get("channels", [])]
        subscriptions = definitions.parse_subscriptions(fields.get("subscriptions", {}))
        catalog.define(videos, playlists, channels, subscriptions)
        self._youtube.timedtext.clear()
        return {
            "videos": [video.id for video in videos],
            "playlists": [playlist.id for playlist in playlists],
            "channels": [channel.id for channel in channels],
        }

    def _prepare(self, body: Any) -> dict[str, Any]:
        fields = _expect_object(body)
        check_fields(fields, {"videos": list})
        videos = []
        for video_id in fields.get("videos", []):
            video = self._youtube.catalog.video(str(video_id))
            if video is None:
                raise ControlError(f"expected ids of known videos; found {quote(video_id)}")
            videos.append(video)
        for video in videos:
            self._youtube.timedtext.prepare(video)
        return {"prepared": len(videos)}


def _parse_json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise ControlError(f"expected JSON; found {body[:80].decode('utf-8', 'replace')}") from error


def _expect_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ControlError(f"expected a JSON object; found {quote(value)}")
    return value
