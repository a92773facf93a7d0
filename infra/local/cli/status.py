"""`status [--json]`: shows every component with its state, port and pid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from infra.local.state_dir import StateDir
from infra.local.supervisor import environment
from infra.local.supervisor.status import NotRunning, read
from infra.pipeline import load_pipeline
from shared.config import Config


def show(caller: Mapping[str, str], config: Config, state: StateDir, as_json: bool) -> int:
    """Returns the exit code: 0 if every component runs, or for JSON.

    Raises:
        NotRunning: there is no run. As JSON, all components are stopped then.
    """
    running = read(state)
    components = running.components if running else _stopped(caller, config)
    if as_json:
        print(json.dumps(components, indent=1))
        return 0
    if running is None:
        raise NotRunning
    for component in components:
        port, pid = component["port"] or "", component["pid"] or ""
        print(f"{component['name']:<14} {component['state']:<11} {port:<6} {pid}".rstrip())
    print(f"\n{running.url}   supervisor: pid {running.supervisor}   logs: {state.logs}")
    return 0 if all(component["state"] == "running" for component in components) else 1


def _stopped(caller: Mapping[str, str], config: Config) -> list[dict[str, Any]]:
    names = ["elasticsearch", "pubsub", "firestore"]
    names += [] if environment.real_youtube(caller) else ["youtube"]
    names += [function.name for function in load_pipeline(config).functions]
    names += ["delivery", "gateway"]
    return [{"name": name, "state": "stopped", "port": None, "pid": None} for name in names]
