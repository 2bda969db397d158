"""All benches by name, the ones that need no server first, and what measures them one after the other."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from bench.targets import Verdict, judge
from luna.energy.errors import InvalidInputError, MachineError
from luna.platform.written_files import write_whole

NAMES = (
    "planner", "devices", "energy_value", "oracle", "decisions", "agent_decisions", "agent_imitation", "agent_training", "agent_environment",
    "closed_loop", "replay", "simulator", "edge_labels", "edge_simulation",
    "forecast", "scenarios", "bandit", "queue", "fleet", "fleet_forecasts", "data", "recorder", "history", "gateway", "page", "knowledge", "idle", "house",
    "first_run",
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


@dataclass(frozen=True, slots=True)
class BenchResults:
    """What the benches gave: figures by bench, verdicts on them, and what could not be compared with."""

    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return the outward form."""
        return {"bench": self.figures, "missing": self.missing, "targets": [verdict.document() for verdict in self.verdicts]}


def choose_benches(names: Sequence[str]) -> Sequence[str]:
    """Return the benches asked for, dashes read as the underscores of their modules; where none is named, all that need nothing but Luna.

    Raises:
        InvalidInputError: no such bench.
    """
    known = (*NAMES, *ON_REQUEST)
    modules = {name: name.replace("-", "_") for name in names}
    for name, module in modules.items():
        if module not in known:
            raise InvalidInputError("no such bench", field="NAME", value=name, remedy=f"Choose from: {', '.join(known)}.")
    return list(dict.fromkeys(modules.values())) or NAMES


def measure_all(
    names: Sequence[str], folder: Path, show_step: Callable[[str], AbstractContextManager[object]], *, full: bool = False, days: float | None = None
) -> BenchResults:
    """Run benches one after the other and write a file for each into ``folder``; one that this machine cannot run is named as missing.

    Args:
        names: as ``choose_benches`` returns them.
        folder: made where it is missing.
        show_step: shows each bench while it runs.
        full: as ``measure`` takes it.
        days: as ``measure`` takes it.
    """
    results = BenchResults()
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        try:
            with show_step(f"Measuring {name} …"):
                figures, missing = measure(name, full=full, days=days)
        except MachineError as error:
            results.missing.append(f"{name}: {error}")
            continue
        verdicts = judge(name, figures)
        results.figures[name] = figures
        results.verdicts.extend(verdicts)
        results.missing.extend(missing)
        document = figures | {"missing": missing, "targets": [verdict.document() for verdict in verdicts]}
        write_whole(folder / f"{name}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return results
