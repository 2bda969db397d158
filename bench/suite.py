"""All benches by name, the ones that need no server first."""

from importlib import import_module
from inspect import signature
from typing import Any

NAMES = (
    "planner", "devices", "energy_value", "oracle", "decisions", "agent_decisions", "agent_imitation", "agent_training", "agent_environment",
    "closed_loop", "replay", "simulator", "edge_labels", "edge_simulation",
    "forecast", "scenarios", "bandit", "queue", "fleet", "fleet_forecasts", "data", "recorder", "history", "gateway", "page", "knowledge", "idle", "first_run",
)  # fmt: skip
# Only where asked for by name: days that are planned twice, a home's fortnights and a day on a small machine take minutes and a hard week one, containers
# need Docker and are built, nodes and faults need root and what they are made with, load takes all of the machine.
ON_REQUEST = (
    "assumptions", "fortnight", "product_fortnight", "hard_weeks", "compose", "upgrade", "restore_time", "nodes", "chaos", "saturation", "soak", "uploads",
    "worker_memory", "fleet_day", "edge_faults", "small_machine",
)  # fmt: skip


def measure(name: str, *, full: bool = False, days: float | None = None) -> tuple[dict[str, Any], list[str]]:
    """Return a bench's figures, and what it could not compare with because it is not installed.

    Args:
        name: of the bench.
        full: the long form, of those that have one.
        days: how long a home lives, of those that let one live; None: as long as the bench says.

    Raises:
        MachineError: this machine lacks what the bench needs.
    """
    work = import_module(f"bench.{name}").measure
    wanted = {"full": full, "days": days}
    figures: dict[str, Any] = dict(work(**{option: value for option, value in wanted.items() if option in signature(work).parameters}))
    return figures, figures.pop("missing", [])
