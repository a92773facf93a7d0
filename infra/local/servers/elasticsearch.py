"""Elasticsearch: Docker's full server, or the core from the package registry with our plugin."""

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
    """Raises Missing."""
    if program := docker(environment):
        options = (
            f"--env=http.port={port}",
            "--env=discovery.type=single-node",
            "--env=xpack.security.enabled=false",
            "--env=xpack.ml.enabled=false",
            "--env=ingest.geoip.downloader.enabled=false",
            "--env=cluster.routing.allocation.disk.threshold_enabled=false",
            f"--env=ES_JAVA_OPTS={_HEAP}",
            # A volume and not a directory of ours: the server in the container is another user.
            f"--volume={_volume(state)}:/usr/share/elasticsearch/data",
        )
        image = f"elasticsearch:{version()}"
        return in_container(program, environment, state, "elasticsearch", port, image, [], options)
    home = _server(environment, state, say)
    return _launch(home, environment, state, port, transport_port, say)


def version() -> str:
    """The one that the Maven project names."""
    match = re.search(r"<elasticsearch\.version>([^<]+)<", (PROJECT / "pom.xml").read_text(encoding="utf-8"))
    if match is None:
        raise Missing(f"{PROJECT / 'pom.xml'}: expected a property elasticsearch.version")
    return match[1]


def _volume(state: StateDir) -> str:
    return "yts-" + hashlib.sha256(str(state.root).encode()).hexdigest()[:12]


def _server(environment: Mapping[str, str], state: StateDir, say: Say) -> Path:
    """The unpacked server with the plugin built from what the project holds now."""
    digest = hashlib.sha256()
    for file in sorted(path for path in PROJECT.rglob("*") if path.is_file() and "target" not in path.parts):
        digest.update(file.relative_to(PROJECT).as_posix().encode() + b"\0" + file.read_bytes())
    name = f"elasticsearch-{version()}"

    def fill(part: Path) -> None:
        program = maven(environment, say)
        compiler = java_home(environment, say, compiler=True)
        say(f"fetching {name} with Maven, once (100 MB)")
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
        # Interrupted at the right moment, Maven ends with 0 and nothing done.
        plugins = part / name / "plugins"
        if result.returncode != 0 or not list(plugins.glob("*/named_components.json")):
            log = state.log("maven")
            log.write_text(result.stdout + result.stderr, encoding="utf-8")
            raise Missing(f"Maven could not fetch {name} (see {log}): start Docker, or set ELASTICSEARCH_URL")

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
        # The launcher does nothing but start the server: it need not be compiled well.
        "CLI_JAVA_OPTS": "-XX:TieredStopAtLevel=1",
    }
    kept = {name: value for name, value in environment.items() if name != "JAVA_HOME"}
    return Launch(argv, kept | more, home.name)


def _as_nobody(owned: tuple[Path, ...]) -> tuple[str, ...]:
    """What makes root another user: Elasticsearch refuses to run as root.

    Raises:
        Missing: there is no way here.
    """
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam("nobody")
    change = (f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    if setpriv := shutil.which("setpriv"):
        # Keeps root's right to read and write files, so that a checkout in /root works too. Without
        # the last option access(2), which Java asks before it writes, denies what open(2) allows.
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
        f"Elasticsearch refuses to run as root, and the user nobody cannot write to {owned[0]}:"
        " set LOCAL_STATE_DIR to a directory that everybody may enter, or start as another user"
    )


def _can_write(prefix: tuple[str, ...], directory: Path) -> bool:
    """Tried, not asked: access(2) knows nothing of the rights kept."""
    probe = directory / ".writable"
    command = (*prefix, "sh", "-c", ': > "$0"', str(probe))
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except FileNotFoundError:
        return False
    finally:
        probe.unlink(missing_ok=True)
