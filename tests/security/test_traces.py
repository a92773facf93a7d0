"""Secrets appear nowhere, and an erased user leaves no trace. These tests end parts of the world."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
import requests
from google.cloud import firestore

from tests.security.test_routes import TABLE
from tests.security.visitors import ALONE, OURS, PLAYLIST, SHARED, Visitor, World
from tests.stack import Stack

_SECONDS = 30
#: Secrets that no test knows, by their form. Those with a slash are not searched for within a longer run of
#: Base64, because the log of a rejected message has tens of thousands of such characters.
_LOOKS = re.compile(
    rb"(?<![\w/+-])(?:1//|4/0)[\w-]{20}|ya29\.[\w-]{20}|eyJ[\w-]{20,}\.[\w-]+\.|yts_[\w-]{40}"
)
#: Sent in the place of every secret, in requests that end in an error.
CANARY = "yts_canary_QZJXKVWQZJXKVWQZJXKVWQZJXKVWQZJXKVWQZJ"


def _everything_stored(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every document of Firestore with its path, one a line; transcripts without their text."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", stack.firestore)
    client: Any = firestore.Client(project="yts-local")
    top = {collection.id for collection in client.collections(timeout=_SECONDS)}
    found: list[str] = []
    # These collections lie below documents. docs/architecture.md lists all; a test checks that list.
    for name in sorted(top | {"memberships", "searches", "clips", "ledger", "counters"}):
        documents = client.collection_group(name)
        if name == "transcripts":
            documents = documents.select(["kind", "reason", "job_id"])
        found += [f"{each.reference.path} {each.to_dict()}" for each in documents.stream(timeout=_SECONDS)]
    client.close()
    return "\n".join(found)


def _logs(stack: Stack) -> bytes:
    return b"\n".join(path.read_bytes() for path in stack.state.logs.iterdir())


def _force_errors(world: World) -> list[str]:
    """Sends the canary wherever a secret is read, on every route. All answers."""
    said: list[str] = []
    visitor = Visitor(world.stack)
    ways: list[dict[str, Any]] = [
        {"headers": {"Authorization": f"Bearer {CANARY}"}},
        {"headers": {"Authorization": f"Basic {base64.b64encode(CANARY.encode()).decode()}"}},
        {"headers": {"Cookie": f"__session={CANARY}"}},
        {"params": {"code": f"4/0{CANARY}", "state": CANARY, "access_token": CANARY}},
    ]
    for (method, _), row in TABLE.items():
        for way in ways:
            path = row.path(world)
            answer = visitor.ask(method, path, **way)
            # A feed names its own address, and its token is a part of that.
            said.append(f"{answer.headers} {answer.text}".replace(path, ""))
    # An answer of Google whose state is right and whose code Google refuses.
    begun = visitor.ask("GET", "/api/login")
    (state,) = re.findall(r"[?&]state=([^&]+)", begun.headers["Location"])
    ended = visitor.ask("GET", f"/api/login/callback?state={state}&code={CANARY}")
    assert ended.headers["Location"] == "/?signin=failed"
    said.append(str(ended.headers))
    world.owner.ask("POST", "/api/index", data=f'{{"playlist": "{CANARY}"', headers=OURS)
    visitor.close()
    return said


def test_no_secret_appears_in_an_answer_a_log_a_message_or_the_store(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = world.stack
    messages = _Messages(stack)
    said = _force_errors(world)
    # A job of a private playlist sends messages through the whole pipeline.
    world.stranger.ask("POST", "/api/index", json={"playlist": "PLdemo-shared"})
    job = world.stranger.get("/api/jobs?limit=1")["jobs"][0]["job_id"]
    stack.wait_for(
        lambda: world.stranger.get(f"/api/jobs/{job}")["state"] in ("done", "failed"), 60, "the job ends"
    )
    found: list[str] = []

    def arrived() -> bool:
        found.extend(messages.pull())
        return any(job in each for each in found)

    stack.wait_for(arrived, 30, "the messages of the job arrive here, too")
    messages.close()
    sent = "\n".join(found)
    key = (stack.state.secrets / "grant-encryption-key").read_text().strip()
    operator = stack.state.operator_token()
    secrets = {*world.secrets, CANARY, key, operator, "local-stand-in-secret"}
    stored, logged = _everything_stored(stack, monkeypatch), _logs(stack)
    assert "grants/other" in stored
    for secret in secrets:
        assert secret.encode() not in logged
        assert secret not in stored
        assert secret not in sent
        assert not any(secret in each for each in said), secret
    # Answers to pages set cookies and show a token once. They contain no other secret.
    seen = [*world.owner.seen, *world.stranger.seen, *said]
    for text in seen:
        for looks in _LOOKS.findall(text.encode()):
            assert looks.startswith(b"yts_"), looks
    assert sum(world.token in text for text in seen) == 1
    for place in (logged, stored.encode(), sent.encode()):
        assert not _LOOKS.search(place)
    for address in (b"other@example.com", b"demo@example.com"):
        assert address not in logged
        assert address.decode() not in sent


class _Messages:
    """Subscriptions of our own to all topics."""

    def __init__(self, stack: Stack) -> None:
        root = f"http://{stack.pubsub}/v1/projects/yts-local/subscriptions"
        self._urls = []
        for name in ("playlists", "videos", "transcripts", "dead-letters"):
            body = {"topic": f"projects/yts-local/topics/{name}", "ackDeadlineSeconds": 600}
            url = f"{root}/traces-{name}"
            requests.put(url, json=body, timeout=_SECONDS).raise_for_status()
            self._urls.append(url)

    def pull(self) -> list[str]:
        """Data and attributes of the messages that came since the last call."""
        found = []
        for url in self._urls:
            body = {"maxMessages": 1000, "returnImmediately": True}
            pulled = requests.post(f"{url}:pull", json=body, timeout=_SECONDS).json()
            for each in pulled.get("receivedMessages", []):
                message = each["message"]
                data = base64.b64decode(message.get("data", "")).decode("utf-8", "replace")
                found.append(f"{data} {message.get('attributes')}")
        return found

    def close(self) -> None:
        for url in self._urls:
            requests.delete(url, timeout=_SECONDS).raise_for_status()


def test_signing_out_ends_a_stolen_cookie_too(world: World) -> None:
    thief = {"Cookie": f"__session={world.owner.cookie}"}
    assert world.nobody.get("/api/me", headers=thief)["user_id"] == "other"
    before = world.owner.cookie
    assert world.owner.ask("POST", "/api/logout").status_code == 204
    assert world.owner.cookie == ""
    assert world.nobody.ask("GET", "/api/me", headers=thief).status_code == 401
    assert world.nobody.ask("GET", f"/api/jobs/{world.job_id}", headers=thief).status_code == 401
    world.owner.sign_in("other")
    assert world.owner.cookie != before


def test_an_erased_user_leaves_no_trace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = world.stack
    running = world.owner.ask("POST", "/api/index", json={"playlist": PLAYLIST}).json()["job_id"]
    assert world.owner.ask("DELETE", "/api/me").status_code == 204
    assert world.owner.cookie == ""
    assert world.owner.ask("GET", "/api/me").status_code == 401
    stored = _everything_stored(stack, monkeypatch)
    # A transcript keeps the id of the job that fetched it. That job does not exist any more. The request to
    # erase stays for some minutes: the sweep then erases once more, and deletes it.
    others = ("transcripts/", "erasures/")
    mine = [line for line in stored.splitlines() if not line.startswith(others)]
    for trace in ("/other", "'other'", "other:", "other@example.com", world.job_id, running):
        assert [line for line in mine if trace in line] == []
    libraries = requests.post(
        f"{stack.elasticsearch}/yts-libraries/_search",
        json={"query": {"term": {"user_id": "other"}}},
        timeout=_SECONDS,
    ).json()
    assert libraries["hits"]["total"]["value"] == 0
    # Data that all users share is still there.
    for video in (ALONE, SHARED):
        assert f"videos/{video} " in stored
    world.owner.sign_in("other")
    assert world.owner.get("/api/jobs")["jobs"] == []
    assert all(each["indexed"] is None for each in world.owner.get("/api/playlists")["playlists"])
