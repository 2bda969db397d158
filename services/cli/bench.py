"""``luna bench``: every part's figures beside its floor, its peers and its target."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from rich.text import Text

from luna.energy.errors import MachineError
from luna.platform.settings import load_settings
from services.cli.console import JsonOption, err, out, table, write_json


def run_benches(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]…", help="The benches to run (default: all)."),
    ] = None,
    *,
    full: Annotated[
        bool,
        typer.Option("--full", help="Run the long form: more rounds, all hundred unseen days."),
    ] = False,
    days: Annotated[
        float | None,
        typer.Option(
            min=0.125, max=56, help="Days to simulate in the fortnight benches (default: 14)."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure Luna, compare with targets and peers, write var/bench/NAME.json.

    Compare ratios within one run only.
    """
    if find_spec("bench") is None:
        raise MachineError(
            "the benches are not installed",
            field="bench",
            remedy="Run luna bench in a checkout of Luna.",
        )

    suite = import_module("bench.suite")
    folder = load_settings().data_folder / "bench"
    result = suite.measure_all(
        suite.choose_benches(names or []),
        folder,
        nullcontext if as_json else err.status,
        full=full,
        days=days,
    )
    if as_json:
        write_json(result.document())
        return
    for name, figures in result.figures.items():
        rows: list[list[str | Text]] = []
        for verdict in result.verdicts:
            if verdict.bench != name:
                continue
            target = verdict.target
            bounds = []
            if target.at_least is not None:
                bounds.append(f"≥ {_number(target.at_least)}")
            if target.at_most is not None:
                bounds.append(f"≤ {_number(target.at_most)}")
            word = Text("met", style="green") if verdict.met else Text("missed", style="bold red")
            rows.append(
                [
                    target.words,
                    f"{_number(verdict.value)} {target.unit}".rstrip(),
                    " and ".join(bounds),
                    word,
                ]
            )
        if rows:
            table(["figure", "measured", "target", ""], rows, title=f"\n{name}")
        table(
            ["also measured", "value"],
            [[words, value] for words, value in _list(figures)],
            title=None if rows else f"\n{name}",
        )
    for missing in result.missing:
        out.print(
            f"[yellow]Not compared with:[/] {missing} (peers are installed by: make bench-peers)"
        )
    missed = sum(not verdict.met for verdict in result.verdicts)
    out.print(
        f"\n{len(result.verdicts) - missed} targets met, {missed} missed. Everything is in "
        f"{folder}/*.json."
    )


def _list(figures: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield every figure with the path to it."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _list(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    if value and abs(value) < 1e-3:
        return f"{value:.1e}"
    if abs(value) >= 1000 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"
