"""The command line behind ./emulators.sh.

Exit codes: 0 done, 1 it went wrong (and is said how), 2 the command or a variable is wrong,
3 there is no run to ask.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable

import requests

from infra.local import control, environment, indexing, searching, testing, upping, working
from infra.local.api import Api, ApiError
from infra.local.control import Follow, NotRunning
from infra.local.state_dir import StateDir
from infra.pipeline import PipelineError, load_pipeline
from shared.config import Config, ConfigError


class Commands:
    """Each command takes its arguments and answers with its exit code."""

    def __init__(self, config: Config, state: StateDir) -> None:
        self._config = config
        self._state = state

    def up(self, arguments: argparse.Namespace) -> int:
        return upping.up(os.environ, self._config, self._state, arguments.detach, not arguments.no_sample)

    def down(self, arguments: argparse.Namespace) -> int:
        stopped = control.stop(self._state)
        print("Stopped; the library is kept." if stopped else "Nothing was running.")
        return 0

    def status(self, arguments: argparse.Namespace) -> int:
        running = control.read(self._state)
        components = list(running.components) if running else self._stopped()
        if arguments.json:
            print(json.dumps(components, indent=1))
            return 0
        if running is None:
            raise NotRunning
        for component in components:
            port, pid = component["port"] or "", component["pid"] or ""
            print(f"{component['name']:<14} {component['state']:<11} {port:<6} {pid}".rstrip())
        print(f"\n{running.url}   supervisor: pid {running.supervisor}   logs: {self._state.logs}")
        return 0 if all(component["state"] == "running" for component in components) else 1

    def _stopped(self) -> list[dict[str, object]]:
        names = ["elasticsearch", "pubsub", "firestore"]
        names += [] if environment.real_youtube(os.environ) else ["youtube"]
        names += [function.name for function in load_pipeline(self._config).functions]
        names += ["delivery", "gateway"]
        return [{"name": name, "state": "stopped", "port": None, "pid": None} for name in names]

    def logs(self, arguments: argparse.Namespace) -> int:
        logs = {path.stem: path for path in sorted(self._state.logs.glob("*.log"))}
        if arguments.name and arguments.name not in logs:
            known = ", ".join(logs) or "none yet"
            print(f"expected the name of a log ({known}), found {arguments.name!r}", file=sys.stderr)
            return 2
        chosen = [arguments.name] if arguments.name else list(logs)
        follows = {name: Follow(logs[name], from_end=True) for name in chosen}
        for name in chosen:
            lines = logs[name].read_text(encoding="utf-8", errors="replace").splitlines()
            for line in lines if arguments.name else lines[-10:]:
                print(line if arguments.name else f"{name:<14} {line}")
        while arguments.follow:
            for name, follow in follows.items():
                for line in follow.new_lines():
                    print(line if arguments.name else f"{name:<14} {line}", flush=True)
            time.sleep(0.2)
        return 0

    def test(self, arguments: argparse.Namespace) -> int:
        return testing.run(arguments.rest)

    def bench(self, arguments: argparse.Namespace) -> int:
        return testing.bench(arguments.rest)

    def worker(self, arguments: argparse.Namespace) -> int:
        working.work(os.environ, self._config, self._state, arguments.subscription)

    def token(self, arguments: argparse.Namespace) -> int:
        print(self._api(arguments.user).new_token())
        return 0

    def index(self, arguments: argparse.Namespace) -> int:
        return 0 if indexing.index(self._api(arguments.user), arguments.playlist) else 1

    def search(self, arguments: argparse.Namespace) -> int:
        searching.search(
            self._api(arguments.user), " ".join(arguments.words), arguments.json, arguments.limit
        )
        return 0

    def reindex(self, arguments: argparse.Namespace) -> int:
        port = control.require(self._state).port_of("reindex")
        session = requests.Session()
        session.trust_env = False
        step: dict[str, object] = {}
        with session.post(f"http://127.0.0.1:{port}/", json={}, stream=True, timeout=(5, 600)) as answer:
            if answer.status_code != 200:
                raise ApiError(f"the reindex function answered {answer.status_code}: {answer.text[:300]}")
            for line in answer.iter_lines():
                step = json.loads(line)
                if "total" in step:
                    print(f"{step['indexed']} of {step['total']} videos", flush=True)
        if not step.get("done"):
            raise ApiError(f"reindexing did not come to its end: {step.get('error', 'no reason given')}")
        print(f"Done: {step['indexed']} videos in the new index, which searches use now.")
        return 0

    def _api(self, user: str) -> Api:
        # Where it answers is for the run to say: PORT may have been another when it was started.
        port = control.require(self._state).port_of("gateway")
        return Api(f"http://127.0.0.1:{port}", self._state, user)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./emulators.sh", description="The whole of yts on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start everything and stay until Ctrl-C")
    up.add_argument("--detach", action="store_true", help="return once everything is ready")
    up.add_argument("--no-sample", action="store_true", help="do not index the sample playlist")
    commands.add_parser("down", help="stop what `up` started")
    status = commands.add_parser("status", help="every component, its port and pid")
    status.add_argument("--json", action="store_true", help="a list, for machines; always exit code 0")
    logs = commands.add_parser("logs", help="the log of one component, or the ends of all")
    logs.add_argument("name", nargs="?", metavar="NAME")
    logs.add_argument("-f", "--follow", action="store_true", help="go on with what is added")
    commands.add_parser("test", help="run all tests; what follows is for pytest")
    commands.add_parser(
        "bench", help="measure indexing, beside Celery and a plain build; --help lists its options"
    )
    worker = commands.add_parser("worker", help="fetch transcripts from this machine's address")
    worker.add_argument("--subscription", default="fetcher", metavar="NAME", help="to pull from (fetcher)")
    token = commands.add_parser("token", help="print a new API token of a local user")
    token.add_argument("user", nargs="?", default=upping.DEMO_USER, metavar="USER")
    index = commands.add_parser("index", help="index a playlist and show how it goes")
    index.add_argument("playlist", metavar="PLAYLIST", help="its id, or any YouTube address with list=")
    search = commands.add_parser("search", help="find what was said")
    search.add_argument("words", nargs="+", metavar="WORDS")
    search.add_argument("--json", action="store_true", help="the answer as it is")
    search.add_argument("--limit", type=int, default=10, help="videos at most (10)")
    for command in (index, search):
        command.add_argument("--user", default=upping.DEMO_USER, help="in whose library (demo)")
    commands.add_parser("reindex", help="build the search index anew from what is stored")
    return parser


def _parsable(argv: list[str]) -> list[str]:
    """What argparse is to see: it takes everything that begins with a dash for an option of its own."""
    if argv[:1] in (["test"], ["bench"]):
        return argv[:1]
    if argv[:1] != ["search"] or "--" in argv:
        return argv
    # -word is part of the query language.
    options, words = ["search"], []
    rest = iter(argv[1:])
    for argument in rest:
        if argument in ("--json", "-h", "--help") or argument.startswith(("--user=", "--limit=")):
            options.append(argument)
        elif argument in ("--user", "--limit"):
            options += [argument, *(value for value in [next(rest, None)] if value is not None)]
        else:
            words.append(argument)
    return [*options, "--", *words]


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(_parsable(argv))
    arguments.rest = argv[1:]
    try:
        config = Config.from_env(os.environ)
        commands = Commands(config, StateDir.at(config.local_state_dir))
        command: Callable[[argparse.Namespace], int] = getattr(commands, arguments.command)
        return command(arguments)
    except (ConfigError, PipelineError) as error:
        print(error, file=sys.stderr)
        return 2
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 3
    except (ApiError, TimeoutError, requests.RequestException) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        # What was started goes on; only the looking on ends.
        return 130


if __name__ == "__main__":
    sys.exit(main())
