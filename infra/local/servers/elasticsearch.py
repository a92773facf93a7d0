"""Elasticsearch: the full server from Docker, or the core server from Maven with our plugin."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.local.servers import archives
from infra.local.servers.emulators import in_container
from infra.local.servers.tools import Launch, Missing, Say, docker, java_home, maven
from infra.local.state_dir import ROOT, StateDir

PROJECT = ROOT / "infra" / "elasticsearch"
_CONFIG = Path(__file__).with_name("elasticsearch_config")
_HEAP = "-Xms256m -Xmx512m"


def elasticsearch(
    environment: Mapping[str, str], state: StateDir, port: int, transport_port: int, say: Say
) -> Launch:
    """Finds or downloads Elasticsearch.

    Raises:
        Missing
    """
    if program := docker(environment):
        options = (
            f"--env=http.port={port}",
            "--env=discovery.type=single-node",
            "--env=xpack.security.enabled=false",
            "--env=xpack.ml.enabled=false",
            "--env=ingest.geoip.downloader.enabled=false",
            "--env=cluster.routing.allocation.disk.threshold_enabled=false",
            f"--env=ES_JAVA_OPTS={_HEAP} {environment.get('ES_JAVA_OPTS', '')}".rstrip(),
            # The server in the container runs as another user, who could not write to our directory.
            f"--volume={_volume(state)}:/usr/share/elasticsearch/data",
        )
        image = f"elasticsearch:{version()}"
        return in_container(program, environment, state, "elasticsearch", port, image, [], options)
    home = _server(environment, state, say)
    return _launch(home, environment, state, port, transport_port, say)


def version() -> str:
    """The version in infra/elasticsearch/pom.xml."""
    match = re.search(r"<elasticsearch\.version>([^<]+)<", (PROJECT / "pom.xml").read_text(encoding="utf-8"))
    if match is None:
        raise Missing(f"{PROJECT / 'pom.xml'}: expected a property elasticsearch.version, found none")
    return match[1]


def _volume(state: StateDir) -> str:
    return "yts-" + hashlib.sha256(str(state.root).encode()).hexdigest()[:12]


def _server(environment: Mapping[str, str], state: StateDir, say: Say) -> Path:
    """The directory of the server, with the plugin that is built from the present Maven project."""
    digest = hashlib.sha256()
    for file in sorted(path for path in PROJECT.rglob("*") if path.is_file() and "target" not in path.parts):
        digest.update(file.relative_to(PROJECT).as_posix().encode() + b"\0" + file.read_bytes())
    name = f"elasticsearch-{version()}"

    def fill(part: Path) -> None:
        program = maven(environment, say)
        compiler = java_home(environment, say, compiler=True)
        say(f"downloading {name} with Maven, once (100 MB)")
        command = (
            program,
            "-q",
            "-B",
            "-f",
            str(PROJECT / "pom.xml"),
            "package",
            f"-Dserver.directory={part}",
        )
        result = subprocess.run(
            command,
            env={**environment, "JAVA_HOME": str(compiler)},
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        # An interrupted Maven may end with exit code 0 before it has built the plugin.
        plugins = part / name / "plugins"
        if result.returncode != 0 or not list(plugins.glob("*/named_components.json")):
            log = state.log("maven")
            log.write_text(result.stdout + result.stderr, encoding="utf-8")
            raise Missing(
                f"Maven could not download and build {name}; see {log}. Start again, start Docker, or set"
                " ELASTICSEARCH_URL to a server that runs."
            )

    return archives.place(state.servers / f"{name}-{digest.hexdigest()[:12]}", fill) / name


def _launch(
    home: Path,
    environment: Mapping[str, str],
    state: StateDir,
    port: int,
    transport_port: int,
    say: Say,
) -> Launch:
    data = state.data / "elasticsearch"
    configuration = state.run / "elasticsearch"
    temporary = state.run / "elasticsearch-tmp"
    shutil.rmtree(configuration, ignore_errors=True)
    shutil.rmtree(temporary, ignore_errors=True)
    for directory in (data, temporary):
        directory.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_CONFIG, configuration)
    settings = (
        f"-Ehttp.port={port}",
        f"-Etransport.port={transport_port}",
        f"-Epath.data={data}",
        f"-Epath.logs={state.logs}",
    )
    argv = (*_as_nobody((data, configuration, temporary)), str(home / "bin" / "elasticsearch"), *settings)
    more = {
        "ES_JAVA_HOME": str(java_home(environment, say)),
        "ES_PATH_CONF": str(configuration),
        "ES_TMPDIR": str(temporary),
        # The launcher only starts the server. The quick compiler is enough for it.
        "CLI_JAVA_OPTS": "-XX:TieredStopAtLevel=1",
    }
    kept = {name: value for name, value in environment.items() if name != "JAVA_HOME"}
    return Launch(argv, kept | more, home.name)


def _as_nobody(owned: tuple[Path, ...]) -> tuple[str, ...]:
    """The start of a command line that drops root, because Elasticsearch refuses to run as root.

    ``owned`` are the directories that the server writes to.

    Raises:
        Missing: the user nobody could not write to them.
    """
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam("nobody")
    change = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    if setpriv := shutil.which("setpriv"):
        # The server keeps root's capability to read and write all files, so that a checkout in /root works.
        # Without the last option, access(2) denies what open(2) allows, and Java asks access(2) first.
        kept = ("--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override")
        keep = (setpriv, *change, *kept, "--securebits=+no_setuid_fixup")
        if _can_write(keep, owned[0]):
            return keep
    for directory in owned:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
    plain = (setpriv, *change) if setpriv else ("runuser", "-u", "nobody", "--")
    if _can_write(plain, owned[0]):
        return plain
    raise Missing(
        f"Elasticsearch refuses to run as root, and the user nobody cannot write to {owned[0]}."
        " Set LOCAL_STATE_DIR to a directory that every user may enter, or start as another user."
    )


def _can_write(prefix: tuple[str, ...], directory: Path) -> bool:
    """Tries to write as the server would. access(2) cannot tell, because it ignores the kept capability."""
    probe = directory / ".writable"
    command = (*prefix, "sh", "-c", ': > "$0"', str(probe))
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except FileNotFoundError:
        return False
    finally:
        probe.unlink(missing_ok=True)
