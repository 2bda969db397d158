"""Closed-loop benchmark of a week: the planner against plain self-consumption, over a grid of
batteries, tariffs, meters and forecasts.

Each hour a plan is made from the data known then and a measured state of charge; an inverter
follows it slot by slot while the simulation keeps the true state. Columns are ``idle`` (no
control), ``self`` (self-consumption), ``replayed`` (the policy of the replay) and ``followed`` (the
set-points that the executor sends of replies), EUR a week. ``python -m bench.closed_loop --help``
runs parts of the grid.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import groupby
from typing import Any

from bench.closed_loop.followers import FOLLOWERS, warm_up
from bench.closed_loop.grid import Scenario, build_case, list_grid, list_short_grid
from bench.closed_loop.loop import run_loops
from bench.closed_loop.summary import Row, read_rows, summarise
from bench.closed_loop.weeks import week_timeline

PROCESSES = 4
# Scenarios with the same batteries per batch; larger batches would leave processes idle at the end.
SIDE_BY_SIDE = 6

Progress = Callable[[int, int, list[Row]], None]


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return EUR a week by scenario and column, the greatest loss of ``followed``, exceptions,
    breaches, and the gap to the replay.
    """
    begun = time.perf_counter()
    rows = run_scenarios(
        list_grid() if full else list_short_grid(), progress=show_progress if full else None
    )
    return {"full": full, "seconds": time.perf_counter() - begun} | summarise(rows)


def run_scenarios(
    scenarios: Sequence[Scenario], *, processes: int = PROCESSES, progress: Progress | None = None
) -> list[Row]:
    """Return the rows of scenarios in order, computed in so many ``processes``."""
    warm_up()
    batches = list(
        _batches(scenarios, most=max(1, min(SIDE_BY_SIDE, len(scenarios) // (4 * processes))))
    )
    rows: dict[Scenario, Row] = {}
    with ProcessPoolExecutor(processes) as pool:
        for done in as_completed([pool.submit(run_batch, batch) for batch in batches]):
            found = done.result()
            rows |= {row.scenario: row for row in found}
            if progress is not None:
                progress(len(rows), len(scenarios), found)
    return [rows[scenario] for scenario in scenarios]


def run_batch(scenarios: Sequence[Scenario]) -> list[Row]:
    """Return the rows of scenarios with the same batteries, simulated as one batch."""
    return read_rows(
        scenarios, run_loops([build_case(scenario) for scenario in scenarios], FOLLOWERS)
    )


def _batches(scenarios: Sequence[Scenario], *, most: int) -> Iterator[list[Scenario]]:
    """Yield batches of scenarios with the same batteries and number of slots."""

    def alike(scenario: Scenario) -> tuple[str, int]:
        return scenario.battery, week_timeline(scenario.week).count

    for _, group in groupby(sorted(scenarios, key=alike), key=alike):
        members = list(group)
        for first in range(0, len(members), most):
            yield members[first : first + most]


def show_progress(done: int, count: int, rows: list[Row]) -> None:
    """Print the progress on stderr, and which of the last scenarios fail."""
    failing = ", ".join(row.name for row in rows if row.fails)
    print(
        f"{done} of {count} scenarios" + (f"; failing: {failing}" if failing else ""),
        file=sys.stderr,
        flush=True,
    )
