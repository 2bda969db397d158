"""All benches by name, the ones that need no server first."""

from importlib import import_module
from inspect import signature
from typing import Any

NAMES = (
    "planner", "devices", "energy_value", "oracle", "decisions", "agent_decisions", "agent_imitation", "agent_training", "agent_environment",
    "closed_loop", "replay", "simulator", "edge_labels", "edge_simulation",
    "forecast", "scenarios", "bandit", "queue", "fleet", "fleet_forecasts", "data", "recorder", "history", "gateway", "page", "knowledge", "idle",
)  # fmt: skip
# Only where asked for by name: a hard week takes a minute, containers need Docker and are built, nodes and faults need root and what they are made with, load
# takes all of the machine.
ON_REQUEST = (
    "hard_weeks", "compose", "upgrade", "restore_time", "nodes", "chaos", "saturation", "soak", "uploads", "worker_memory", "fleet_day", "edge_faults",
)  # fmt: skip


def measure(name: str, *, full: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Return a bench's figures, and what it could not compare with because it is not installed.

    Raises:
        MachineError: this machine lacks what the bench needs.
    """
    work = import_module(f"bench.{name}").measure
    figures: dict[str, Any] = dict(work(full=full) if "full" in signature(work).parameters else work())
    return figures, figures.pop("missing", [])
