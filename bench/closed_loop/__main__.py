"""Parts of the grid with a table per scenario:
``python -m bench.closed_loop --only 'two/flat/*/*'``.
"""

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.closed_loop import PROCESSES, run_scenarios, show_progress
from bench.closed_loop.followers import FOLLOWED, FOLLOWERS, REPLAYED
from bench.closed_loop.grid import Scenario, build_case, list_grid, list_short_grid
from bench.closed_loop.loop import IDLE, SELF, LoopResults, run_loops
from bench.closed_loop.summary import Row, group_messages, normalise, summarise
from bench.closed_loop.weeks import WEEKS, ZONE
from luna.energy.physics.mode import Mode

COLUMNS = (IDLE, SELF, REPLAYED, FOLLOWED)


def main() -> None:
    """Run the scenarios that the command line selects."""
    asked = _parse()
    few = (
        {scenario.name for scenario in list_short_grid()}
        if asked.only is None and not asked.full
        else None
    )
    scenarios = [
        each
        for each in list_grid(asked.only or "*", week=asked.week)
        if few is None or each.name in few
    ]
    if not scenarios:
        raise SystemExit(
            f"no scenario matches {asked.only!r}; a name is battery/tariff/meter/forecast"
        )
    if asked.trace is not None:
        write_trace(scenarios[0], asked.trace)
        return
    rows = run_scenarios(
        scenarios,
        processes=asked.processes,
        progress=show_progress if len(scenarios) > 2 * asked.processes else None,
    )
    for line in (*format_table(rows), "", *format_groups(rows), "", *format_messages(rows)):
        print(line)
    print(
        json.dumps(
            {
                name: value
                for name, value in summarise(rows).items()
                if name not in ("costs", "columns", "messages")
            },
            indent=2,
        )
    )
    if asked.out is not None:
        asked.out.write_text(
            json.dumps([row.document() for row in rows], indent=1), encoding="utf-8"
        )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.closed_loop",
        description="Closed loops of the grid, a table per scenario.",
    )
    parser.add_argument(
        "--only",
        metavar="PATTERN",
        help=(
            "names to run, as battery/tariff/meter/forecast with * and ? (default: the short form)"
        ),
    )
    parser.add_argument("--full", action="store_true", help="the whole grid")
    parser.add_argument(
        "--week", choices=WEEKS, help="instead of the week that a scenario's place gives it"
    )
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write every scenario's figures there, JSON"
    )
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="write the first scenario there slot by slot, CSV, and do nothing else",
    )
    return parser.parse_args()


def format_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line per scenario: EUR a week by column, the extra cost of ``followed`` over
    self-consumption, and the failures.
    """
    width = max(len(row.name) for row in rows) + 2
    yield (
        f"{'scenario':{width}}{'week':8}"
        + "".join(f"{column:>10}" for column in COLUMNS)
        + f"{'over self':>12}{'share':>9}{'seconds':>9}  wrong"
    )
    for row in rows:
        costs = "".join(f"{row.costs[column]:10.3f}" for column in COLUMNS)
        beside = f"{row.over_self:12.6f}{row.share:9.2%}{sum(row.seconds.values()):9.1f}"
        yield f"{row.name:{width}}{row.scenario.week:8}{costs}{beside}  {_describe_faults(row)}"


def _describe_faults(row: Row) -> str:
    faults = ["loses"] if row.loses else []
    faults += [
        f"{len(failures)} exceptions in {column}" for column, failures in row.failures.items()
    ]
    faults += [f"{count} breaches in {column}" for column, count in row.breaches.items() if count]
    return ", ".join(faults)


def format_groups(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line per battery and tariff with failures, the greatest loss first.

    Losses count only where they are not tolerated.
    """
    yield (
        f"{'battery/tariff':30}{'losing':>8}{'replay':>8}{'worst EUR':>11}{'share':>9}"
        f"{'exceptions':>12}{'breaches':>10}  worst scenario"
    )

    def pair(row: Row) -> str:
        return f"{row.scenario.battery}/{row.scenario.tariff}"

    groups = [(name, list(group)) for name, group in groupby(sorted(rows, key=pair), key=pair)]
    for name, group in sorted(groups, key=lambda each: -max(map(_loss, each[1]))):
        worst = max(group, key=_loss)
        bound = [row for row in group if row.must_not_lose]
        exceptions = sum(row.exceptions for row in group)
        breaches = sum(sum(row.breaches.values()) for row in group)
        losing = sum(row.loses for row in group)
        replayed = sum(row.replay_loses for row in group)
        if losing or exceptions or breaches:
            losses = (
                f"{f'{losing}/{len(bound)}':>8}{replayed:8}{worst.over_self:11.3f}"
                f"{worst.share:9.1%}"
            )
            yield f"{name:30}{losses}{exceptions:12}{breaches:10}  {worst.name}"


def _loss(row: Row) -> float:
    return row.over_self if row.must_not_lose else float("-inf")


def format_messages(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the exceptions' messages, the most frequent first, each with its first scenario and
    slot.
    """
    raised = [
        (row.name, column, failure)
        for row in rows
        for column, failures in row.failures.items()
        for failure in failures
    ]
    for message, count in group_messages(rows).items():
        name, column, failure = next(
            each for each in raised if normalise(each[1], each[2].message) == message
        )
        yield (
            f"{count:6} × {message}\n         first in {name}, {column}, slot {failure.slot}: "
            f"{failure.message}"
        )


def write_trace(scenario: Scenario, path: Path) -> None:
    """Write the flows of every slot of a scenario, and the set-points of each column."""
    results = run_loops([build_case(scenario)], FOLLOWERS)
    rows = list(_trace(results))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    print(f"{scenario.name}, {scenario.week}: {len(rows)} slots in {path}")


def _trace(results: LoopResults) -> Iterator[dict[str, Any]]:
    case = results.cases[0]
    flows = results.flows
    told = results.setpoints
    load, pv = case.foresight.ahead(case.timeline.start, case.timeline)
    imported, exported = case.prices.actual(case.timeline)
    cost = results.slot_costs.total
    for slot, start in enumerate(case.timeline):
        row: dict[str, Any] = {
            "start": f"{start.astimezone(ZONE):%a %d %H:%M}",
            "load": load[slot],
            "pv": pv[slot],
        }
        row |= {"import_price": imported[slot], "export_price": exported[slot]}
        for place, column in enumerate(results.names):
            for index, battery in enumerate(case.site.batteries):
                of = f"{column} {battery.name}"
                row[f"{of} soc"] = results.start_kwh[index, place, slot] / battery.capacity_kwh
                row[f"{of} mode"] = Mode(int(told.mode[index, place, slot])).word
                row |= {
                    f"{of} {name}": getattr(told, f"{name}_soc")[index, place, slot]
                    for name in ("target", "floor", "ceiling")
                }
                row |= {
                    f"{of} {name}": getattr(flows, f"{name}_kwh")[index, place, slot]
                    for name in ("charge", "discharge")
                }
            row |= {
                f"{column} {name}": getattr(flows, f"{name}_kwh")[place, slot]
                for name in ("import", "export", "curtailed", "excess")
            }
            row[f"{column} cost"] = cost[place, slot]
        yield {
            name: value if isinstance(value, str) else round(float(value), 6)
            for name, value in row.items()
        }


if __name__ == "__main__":
    main()
