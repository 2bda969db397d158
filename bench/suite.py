"""The benchmarks by name, those without a server first, and their runner."""

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
    "planner",
    "devices",
    "energy_value",
    "oracle",
    "decisions",
    "agent_decisions",
    "agent_imitation",
    "agent_training",
    "agent_environment",
    "closed_loop",
    "steering",
    "replay",
    "prices",
    "simulator",
    "edge_labels",
    "edge_simulation",
    "forecast",
    "scenarios",
    "bandit",
    "departures",
    "queue",
    "fleet",
    "fleet_forecasts",
    "data",
    "recorder",
    "history",
    "gateway",
    "page",
    "readability",
    "claim_checks",
    "knowledge",
    "idle",
    "house",
    "first_run",
)
# Run only by name: they take minutes (fortnights, hard weeks, a small machine), need Docker and a
# build, need root and special programs (nodes, faults), or load the whole machine.
ON_REQUEST = (
    "assumptions",
    "fortnight",
    "product_fortnight",
    "steering_fortnight",
    "hard_weeks",
    "compose",
    "upgrade",
    "restore_time",
    "nodes",
    "chaos",
    "saturation",
    "soak",
    "uploads",
    "worker_memory",
    "fleet_day",
    "edge_faults",
    "small_machine",
)


def measure(
    name: str, *, full: bool = False, days: float | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Run a benchmark; return its figures, and the peers that are not installed.

    Args:
        name: of the benchmark.
        full: the long form, where there is one.
        days: days to simulate, where a benchmark simulates a home; None: its default.

    Raises:
        MachineError: this machine lacks what the bench needs.
    """
    work = import_module(f"bench.{name}").measure
    wanted = {"full": full, "days": days}
    figures: dict[str, Any] = dict(
        work(
            **{
                option: value
                for option, value in wanted.items()
                if option in signature(work).parameters
            }
        )
    )
    return figures, figures.pop("missing", [])


@dataclass(frozen=True, slots=True)
class BenchResults:
    """Results: figures by benchmark, verdicts on targets, and missing peers or benchmarks."""

    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "bench": self.figures,
            "missing": self.missing,
            "targets": [verdict.document() for verdict in self.verdicts],
        }


def choose_benches(names: Sequence[str]) -> Sequence[str]:
    """Return the modules of the named benchmarks, dashes read as underscores.

    Without names, all of ``NAMES``.

    Raises:
        InvalidInputError: no such benchmark.
    """
    known = (*NAMES, *ON_REQUEST)
    modules = {name: name.replace("-", "_") for name in names}
    for name, module in modules.items():
        if module not in known:
            raise InvalidInputError(
                "no such bench",
                field="NAME",
                value=name,
                remedy=f"Choose from: {', '.join(known)}.",
            )
    return list(dict.fromkeys(modules.values())) or NAMES


def measure_all(
    names: Sequence[str],
    folder: Path,
    show_step: Callable[[str], AbstractContextManager[object]],
    *,
    full: bool = False,
    days: float | None = None,
) -> BenchResults:
    """Run benchmarks in sequence and write a file for each into ``folder``.

    One that this machine cannot run is listed as missing.

    Args:
        names: as ``choose_benches`` returns them.
        folder: created if missing.
        show_step: shows each benchmark while it runs.
        full: as for ``measure``.
        days: as for ``measure``.
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
        document = figures | {
            "missing": missing,
            "targets": [verdict.document() for verdict in verdicts],
        }
        write_whole(
            folder / f"{name}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        )
    return results
