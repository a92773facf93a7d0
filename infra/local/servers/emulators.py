"""The Pub/Sub and Firestore emulators: from gcloud, from Docker, or from the published archives."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from infra.local.servers import archives, heap
from infra.local.servers.tools import Launch, Missing, Say, docker, java_home
from infra.local.state_dir import StateDir

# Google's image has both emulators and a Java.
_IMAGE = "google/cloud-sdk:emulators"
#: The heap of the Pub/Sub emulator, which needs 13 MB for a thousand videos. By default it starts with a 64th
#: of the machine's memory, and fills that before it collects garbage.
_PUBSUB_HEAP = ("-Xms32m", "-Xmx256m", "-Xmn16m")
#: The part of the heap for new objects. By default it would be a third, even of a large heap.
_YOUNG_MB = 64
#: The smallest heap at the start, and how much more memory documents take while they are loaded than on disk.
_LEAST_MB, _IN_MEMORY = 256, 3
#: The exit code of a Java that was told to end without memory.
_NO_MEMORY = 3
_LOGGING = Path(__file__).with_name("java-logging.properties")
# With the quick compiler alone the emulators start in half the time, and they have little work to do later.
# The serial collector needs the least memory.
_JAVA_OPTIONS = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    f"-Djava.util.logging.config.file={_LOGGING}",
    "-Duser.language=en",
    # Without memory an emulator would live on and refuse each request. When it dies, it is started again.
    "-XX:+ExitOnOutOfMemoryError",
)


def pubsub(environment: Mapping[str, str], state: StateDir, port: int, say: Say) -> Launch:
    """Finds or downloads the Pub/Sub emulator.

    Raises:
        Missing
    """
    sdk = _sdk_root(environment)
    jar = _newest(sdk, "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar")
    note = "gcloud's emulator"
    if jar is None:
        if program := docker(environment):
            command = f"gcloud beta emulators pubsub start --host-port=0.0.0.0:{port}"
            return in_container(program, environment, state, "pubsub", port, _IMAGE, command.split())
        unpacked = archives.fetch(archives.PUBSUB, state.servers, say)
        jar, note = _newest(unpacked, "**/cloud-pubsub-emulator-*.jar"), archives.PUBSUB.name
    if jar is None:
        raise Missing(f"{archives.PUBSUB.url}: expected a cloud-pubsub-emulator-*.jar in it, found none")
    java = java_home(environment, say) / "bin" / "java"
    main = "com.google.cloud.pubsub.testing.v1.Main"
    argv = (str(java), *_PUBSUB_HEAP, *_JAVA_OPTIONS, "-cp", str(jar), main)
    return Launch((*argv, "--host=127.0.0.1", f"--port={port}"), environment, note)


def firestore(
    environment: Mapping[str, str],
    state: StateDir,
    port: int,
    exported: Path | None,
    say: Say,
    *,
    memory_mb: int,
    saved_mb: int = 0,
) -> Launch:
    """Finds or downloads the Firestore emulator. ``exported``: the metadata file of an export to start with.

    Such an emulator keeps what it has read beside its documents, in twice the memory, and answers its first
    request when it has converted it. :meth:`infra.local.persistence.Exports.load` does neither.

    ``memory_mb``: the most that its documents may take. ``saved_mb``: the size of the export that it gets. In
    a container, the image decides.

    Raises:
        Missing
    """
    arguments = [f"--import-data={exported}"] if exported else []
    sdk = _sdk_root(environment)
    jar = _newest(sdk, "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar")
    note = "gcloud's emulator"
    if jar is None:
        if program := docker(environment):
            command = ["gcloud", "emulators", "firestore", "start", f"--host-port=0.0.0.0:{port}", *arguments]
            return in_container(
                program,
                environment,
                state,
                "firestore",
                port,
                _IMAGE,
                command,
                # Exports are requested by path, so the path inside the container must be the same.
                (f"--volume={state.data}:{state.data}",),
            )
        unpacked = archives.fetch(archives.FIRESTORE, state.servers, say)
        jar, note = _newest(unpacked, "cloud-firestore-emulator-*.jar"), archives.FIRESTORE.name
    if jar is None:
        raise Missing(f"{archives.FIRESTORE.url}: expected a cloud-firestore-emulator-*.jar, found none")
    java = java_home(environment, say) / "bin" / "java"
    # The emulator keeps all documents in memory. The heap grows when needed, and little more than needed: few
    # objects are young, and saving needs the memory of all documents once more for a moment.
    state.gc_log.parent.mkdir(parents=True, exist_ok=True)
    young = min(_YOUNG_MB, memory_mb // 8)
    # The heap starts as large as loading needs it. Each step of growing takes a complete collection.
    # But above what is told (infra.local.servers.heap), it has to grow, because these collections tell it.
    least = min(memory_mb * heap.TOLD_PERCENT // 100, max(_LEAST_MB, _IN_MEMORY * saved_mb))
    heap_size = (f"-Xms{least}m", f"-Xmx{memory_mb}m", f"-Xmn{young}m")
    growth = ("-XX:MinHeapFreeRatio=8", "-XX:MaxHeapFreeRatio=30")
    memory = (*heap_size, *growth, f"-Xlog:gc:file={state.gc_log}::filecount=1,filesize=1m")
    argv = (str(java), *memory, *_JAVA_OPTIONS, "-cp", str(jar))
    main = ("com.google.cloud.datastore.emulator.firestore.CloudFirestore", "start")
    options = ("--host=127.0.0.1", f"--port={port}", *arguments)
    exits = {_NO_MEMORY: heap.does_not_fit(memory_mb)}
    return Launch((*argv, *main, *options), environment, note, exits=exits)


def in_container(
    program: str,
    environment: Mapping[str, str],
    state: StateDir,
    name: str,
    port: int,
    image: str,
    command: list[str],
    options: tuple[str, ...] = (),
) -> Launch:
    """A server in a container. The container stops when the docker command that started it ends."""
    run = hashlib.sha256(str(state.root).encode()).hexdigest()[:12]
    container = f"yts-{run}-{name}"
    argv = (program, "run", "--rm", f"--name={container}", f"--publish=127.0.0.1:{port}:{port}", *options)
    cleanup = ((program, "rm", "--force", container),)
    return Launch((*argv, image, *command), environment, f"Docker, {image}", cleanup)


def _newest(root: Path | None, pattern: str) -> Path | None:
    return max(root.glob(pattern), default=None) if root else None


def _sdk_root(environment: Mapping[str, str]) -> Path | None:
    """The directory of gcloud, if it is installed."""
    program = shutil.which("gcloud", path=environment.get("PATH"))
    if program is None:
        return None
    root = Path(program).resolve().parents[1]
    if (root / "platform").is_dir():
        return root
    # This gcloud is a wrapper in another directory. Asking it takes a second.
    try:
        answer = subprocess.run(
            [program, "info", "--format=value(installation.sdk_root)"],
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return Path(answer.stdout.strip()) if answer.returncode == 0 and answer.stdout.strip() else None
