"""The directory of a local run (LOCAL_STATE_DIR): logs, process ids, data, secrets, downloaded servers."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: The root of the checkout.
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class StateDir:
    """The layout of one state directory."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> StateDir:
        """A relative path starts at the root of the checkout."""
        return cls((ROOT / path.expanduser()).resolve())

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """The state of the present run: its lock, pid, status and sockets."""
        return self.root / "run"

    @property
    def data(self) -> Path:
        """The data that the next run starts with."""
        return self.root / "data"

    @property
    def servers(self) -> Path:
        """Downloaded servers. Several state directories may share this one: runs do not write to it."""
        return self.root / "servers"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def status_file(self) -> Path:
        return self.run / "status.json"

    @property
    def gc_log(self) -> Path:
        """Where the Firestore emulator's Java says how full its memory is. See infra.local.servers.heap."""
        return self.run / "firestore-gc.log"

    @property
    def full(self) -> Path:
        """Exists while this memory is nearly full, and says so to people. See infra.local.servers.heap."""
        return self.run / "full"

    @property
    def loading(self) -> Path:
        """Exists while the last save is being loaded: until then documents seem to be missing."""
        return self.run / "loading"

    @property
    def changes(self) -> Path:
        """Touched after each request that may have changed something in Firestore."""
        return self.run / "changes"

    @property
    def pid_file(self) -> Path:
        return self.run / "supervisor.pid"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def make(self) -> None:
        for directory in (self.logs, self.run, self.data, self.servers, self.secrets):
            directory.mkdir(parents=True, exist_ok=True)
        self.secrets.chmod(0o700)

    def secret(self, name: str) -> str | None:
        """The secret that was kept under this name, or None."""
        try:
            return (self.secrets / name).read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None

    def keep_secret(self, name: str, value: str) -> None:
        """Replaces the secret in one step. Other users cannot read the file at any moment."""
        self.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self.secrets / f".{name}.{os.getpid()}"
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value + "\n")
        part.replace(self.secrets / name)

    def operator_token(self) -> str:
        """The token with which the command line asks for API tokens. Made once for each directory."""
        token = self.secret("operator-token")
        if token is None:
            token = secrets.token_urlsafe(32)
            self.keep_secret("operator-token", token)
        return token

    def encryption_key(self) -> str:
        """A Fernet key, made once for each directory, because the directory has the grants it encrypts."""
        key = self.secret("grant-encryption-key")
        if key is None:
            key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            self.keep_secret("grant-encryption-key", key)
        return key

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Tries to take the lock of the directory, and yields whether that worked.

        The supervisor holds it as long as it lives. The kernel releases it however the process ends.
        """
        self.run.mkdir(parents=True, exist_ok=True)
        with (self.run / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def write_whole(path: Path, text: str) -> None:
    """Replaces a file in one step: readers see the old content or the new, never a part."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
