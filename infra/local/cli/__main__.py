"""The command line behind ./emulators.sh.

Exit codes: 0 success, 1 failure, 2 a wrong command or variable, 3 the local run is not up.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import requests

from infra.local.cli import export as exports
from infra.local.cli import index, logs, reindex, search, status, test, worker
from infra.local.cli.api import Api, ApiError
from infra.local.cli.down import down
from infra.local.cli.up import DEMO_USER, up
from infra.local.state_dir import StateDir
from infra.local.supervisor.status import NotRunning, require
from infra.pipeline import PipelineError
from shared.config import Config, ConfigError

_EVERYTHING = {"shorts": True, "live": True, "newest": None, "since": None}


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./emulators.sh", description="Runs all of yts on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start everything and stay until Ctrl-C")
    up.add_argument("--detach", action="store_true", help="return once everything is ready")
    up.add_argument("--push", action="store_true", help="run the functions as in the cloud: Pub/Sub pushes")
    up.add_argument("--no-sample", action="store_true", help="do not index the sample playlist")
    commands.add_parser("down", help="stop everything that `up` started")
    status = commands.add_parser("status", help="show every component with its port and pid")
    status.add_argument("--json", action="store_true", help="a JSON list; the exit code is always 0")
    logs = commands.add_parser("logs", help="show the log of one component, or the ends of all logs")
    logs.add_argument("name", nargs="?", metavar="NAME")
    logs.add_argument("-f", "--follow", action="store_true", help="go on and show new lines")
    commands.add_parser("test", help="run all tests; arguments are passed to pytest")
    commands.add_parser("bench", help="measure indexing; --help lists the options")
    worker = commands.add_parser("worker", help="fetch transcripts from this machine's address, too")
    worker.add_argument("--subscription", default="fetcher", metavar="NAME", help="default: fetcher")
    token = commands.add_parser("token", help="print a new API token of a local user")
    token.add_argument("user", nargs="?", default=DEMO_USER, metavar="USER")
    index = commands.add_parser("index", help="index playlists, channels and videos, and show the progress")
    index.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="an id or YouTube URL of a playlist, channel or video, @handle",
    )
    index.add_argument("--all", action="store_true", help="all videos of a channel, however many there are")
    index.add_argument("--no-shorts", action="store_true", help="a channel without its Shorts")
    index.add_argument("--no-live", action="store_true", help="a channel without its broadcasts")
    index.add_argument("--newest", type=int, metavar="N", help="only the newest videos of a channel")
    index.add_argument(
        "--since", metavar="DATE", help="only what a channel published since 2024-01-31, for example"
    )
    index.add_argument("--again", action="store_true", help="ask YouTube again for what is stored, too")
    fetch = commands.add_parser("fetch", help="ask YouTube again for one video of the library")
    fetch.add_argument("video", metavar="VIDEO", help="a video id or a YouTube URL")
    search = commands.add_parser("search", help="search titles, descriptions and transcripts")
    search.add_argument("words", nargs="+", metavar="WORDS")
    search.add_argument("--json", action="store_true", help="print the answer as JSON")
    search.add_argument("--meaning", action="store_true", help="find passages of like meaning, not words")
    search.add_argument("--limit", type=int, default=10, help="the number of videos to show (10)")
    export = commands.add_parser("export", help="write a search, or the library without words, to a file")
    export.add_argument("words", nargs="*", metavar="WORDS")
    export.add_argument("--format", default="markdown", choices=exports.FORMS, help="default: markdown")
    export.add_argument("--playlist", action="append", default=[], metavar="ID", help="only of this source")
    export.add_argument("-o", "--output", metavar="FILE", help="default: yts-export.zip, or .jsonl")
    export.add_argument("--resume", action="store_true", help="go on with an export that broke off")
    mcp = commands.add_parser("mcp", help="serve a language model over standard input and output")
    mcp.add_argument("--url", help="another deployment than the local run; YTS_TOKEN has its API token")
    for command in (index, fetch, search, export, mcp):
        command.add_argument("--user", default=DEMO_USER, help=f"whose library ({DEMO_USER})")
    commands.add_parser("reindex", help="rebuild the search index from the stored videos")
    return parser


def run(
    arguments: argparse.Namespace, rest: list[str], environment: Mapping[str, str], config: Config
) -> int:
    """Runs one command. Returns the exit code. ``rest`` are the arguments as they were typed."""
    state = StateDir.at(config.local_state_dir)

    def api() -> Api:
        # The port comes from the run, because it may have been started with another PORT.
        run = require(state)
        if run.pushes:
            raise ApiError(
                f"This run was started with --push: as in the cloud, people sign in at {run.url}."
                " Start it without --push for this command."
            )
        return Api(run.page(), state, arguments.user)

    match arguments.command:
        case "up":
            sample = not (arguments.no_sample or arguments.push)
            return up(environment, config, state, arguments.detach, sample, arguments.push)
        case "down":
            print("Stopped; the library is kept." if down(state) else "Nothing was running.")
        case "status":
            return status.show(environment, config, state, as_json=arguments.json)
        case "logs":
            return logs.show(state, arguments.name, follow=arguments.follow)
        case "test":
            return test.run(rest, environment)
        case "bench":
            return test.bench(rest)
        case "worker":
            worker.work(environment, config, state, arguments.subscription)
        case "token":
            print(api().new_token())
        case "index":
            return 0 if _index(api(), arguments) else 1
        case "fetch":
            return 0 if index.fetch(api(), arguments.video) else 1
        case "search":
            search.search(
                api(), " ".join(arguments.words), arguments.json, arguments.limit, arguments.meaning
            )
        case "export":
            _export(api(), arguments, Path(environment.get("CALLED_FROM", ".")))
        case "mcp":
            # Its packages take a second to import, and no other command needs them.
            from infra.local.cli import mcp

            mcp.serve(config, api)
        case "reindex":
            reindex.reindex(require(state).port_of("reindex"))
    return 0


def _export(api: Api, arguments: argparse.Namespace, directory: Path) -> None:
    """``--channel`` and the like are words of the query language: ``channel:"Harbour Talks"``."""
    words = " ".join(arguments.words)
    asked = ([("q", words)] if words else []) + [("playlist", each) for each in arguments.playlist]
    ending = "jsonl" if arguments.format == "jsonl" else "zip"
    name = arguments.output or f"yts-export.{ending}"
    try:
        number = exports.export(api, arguments.format, asked, directory / name, resume=arguments.resume)
    except requests.RequestException:
        raise
    except OSError as error:
        raise ApiError(f"{name}: {error.strerror}. What has come is kept; go on with --resume.") from error
    print(f"{name}: {number:,} {'video' if number == 1 else 'videos'}")


def _index(api: Api, arguments: argparse.Namespace) -> bool:
    """Whether everything is indexed. What is said of channels is said of each source."""
    chosen = {
        "shorts": not arguments.no_shorts,
        "live": not arguments.no_live,
        "newest": arguments.newest,
        "since": arguments.since,
    }
    channel = chosen if arguments.all or chosen != _EVERYTHING else None
    if channel is None and not arguments.again:
        return index.add(api, arguments.sources)
    done = [index.index(api, each, again=arguments.again, channel=channel) for each in arguments.sources]
    return all(done)


#: For commands with words: the options, and those of them that a value follows.
_OPTIONS = {
    "search": (("--json", "--meaning"), ("--user", "--limit")),
    "fetch": ((), ("--user",)),
    "export": (("--resume",), ("--user", "--format", "--playlist", "--output", "-o")),
}


def separate(argv: list[str]) -> list[str]:
    """The arguments for argparse, which takes everything that begins with a dash as its own option."""
    command = argv[0] if argv else ""
    if command in ("test", "bench"):
        return argv[:1]
    if command not in _OPTIONS or "--" in argv:
        return argv
    # -word is part of the query language, and the id of a video may begin with a dash.
    options, words = argv[:1], []
    flags, valued = _OPTIONS[command]
    rest = iter(argv[1:])
    for argument in rest:
        if argument in (*flags, "-h", "--help") or argument.startswith(tuple(f"{each}=" for each in valued)):
            options.append(argument)
        elif argument in valued:
            options += [argument, *(value for value in [next(rest, None)] if value is not None)]
        else:
            words.append(argument)
    return [*options, "--", *words]


def main(argv: list[str], environment: Mapping[str, str]) -> int:
    arguments = parser().parse_args(separate(argv))
    try:
        if getattr(arguments, "url", None):
            environment = {**environment, "YTS_URL": arguments.url}
        return run(arguments, argv[1:], environment, Config.from_env(environment))
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
        # The job goes on. Only this program, which shows its progress, ends.
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
