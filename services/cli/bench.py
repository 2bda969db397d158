"""``luna bench``: every part's figures beside its floor, its peers and its target."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from luna.energy.errors import InvalidInputError, MachineError
from services.cli.console import JsonOption, emit, err, out, table, write_whole


@dataclass(frozen=True, slots=True)
class Result:
    """What the benches gave: figures by bench, verdicts on them, and what could not be compared with."""

    figures: dict[str, dict[str, Any]]
    verdicts: list[Any]
    missing: list[str]

    def document(self) -> dict[str, Any]:
        """Return the outward form."""
        return {"bench": self.figures, "missing": self.missing, "targets": [_describe(verdict) for verdict in self.verdicts]}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="bench")(_run_benches)


def _run_benches(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Which benches (default: all of them).")] = None,
    *,
    full: Annotated[bool, typer.Option("--full", help="More rounds, and all hundred unseen days.")] = False,
    days: Annotated[float | None, typer.Option(min=0.125, max=56, help="How many days the benches of a fortnight live (default: 14).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure, compare with floor, peers and targets, and write var/bench/NAME.json. Ratios compare within one run only."""
    from luna.platform.settings import load_settings

    folder = load_settings().data_folder / "bench"
    result = _measure_all(choose_benches(names or []), full=full, days=days, folder=folder, quiet=as_json)
    emit(result.document(), as_json=as_json, show=lambda: _show(result, folder))


def choose_benches(names: Sequence[str]) -> Sequence[str]:
    """Return the benches asked for, dashes read as the underscores of their modules; where none is named, all that need nothing but Luna.

    Raises:
        MachineError: Luna was installed without its benches.
        InvalidInputError: no such bench.
    """
    if find_spec("bench") is None:
        raise MachineError("the benches are not installed", field="bench", remedy="Run luna bench in a checkout of Luna.")
    suite = import_module("bench.suite")
    known = (*suite.NAMES, *suite.ON_REQUEST)
    modules = {name: name.replace("-", "_") for name in names}
    for name, module in modules.items():
        if module not in known:
            raise InvalidInputError("no such bench", field="NAME", value=name, remedy=f"Choose from: {', '.join(known)}.")
    return list(dict.fromkeys(modules.values())) or suite.NAMES


def _measure_all(names: Sequence[str], *, full: bool, days: float | None, folder: Path, quiet: bool) -> Result:
    """Run the benches one after the other; one that this machine cannot run is named as missing."""
    suite, targets = import_module("bench.suite"), import_module("bench.targets")
    result = Result({}, [], [])
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        try:
            with _say(f"Measuring {name} …", quiet=quiet):
                figures, missing = suite.measure(name, full=full, days=days)
        except MachineError as error:
            result.missing.append(f"{name}: {error}")
            continue
        verdicts = targets.judge(name, figures)
        result.figures[name] = figures
        result.verdicts.extend(verdicts)
        result.missing.extend(missing)
        document = figures | {"missing": missing, "targets": [_describe(verdict) for verdict in verdicts]}
        write_whole(folder / f"{name}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return result


def _describe(verdict: Any) -> dict[str, Any]:
    target = verdict.target
    figure = ".".join((verdict.bench, *target.path))
    return {"figure": figure, "value": verdict.value, "at_least": target.at_least, "at_most": target.at_most, "met": verdict.met}


@contextmanager
def _say(words: str, *, quiet: bool) -> Iterator[None]:
    if quiet:
        yield
        return
    with err.status(words):
        yield


def _show(result: Result, folder: Path) -> None:
    for name, figures in result.figures.items():
        rows = [_row(verdict) for verdict in result.verdicts if verdict.bench == name]
        if rows:
            table(["figure", "measured", "target", ""], rows, title=f"\n{name}")
        table(["also measured", "value"], [[words, value] for words, value in _list(figures)], title=None if rows else f"\n{name}")
    for missing in result.missing:
        out.print(f"[yellow]Not compared with:[/] {missing} (peers are installed by: make bench-peers)")
    missed = sum(not verdict.met for verdict in result.verdicts)
    out.print(f"\n{len(result.verdicts) - missed} targets met, {missed} missed. Everything is in {folder}/*.json.")


def _row(verdict: Any) -> list[str | Text]:
    target = verdict.target
    bounds = [f"{sign} {_number(bound)}" for sign, bound in (("≥", target.at_least), ("≤", target.at_most)) if bound is not None]
    word = Text("met", style="green") if verdict.met else Text("missed", style="bold red")
    return [target.words, f"{_number(verdict.value)} {target.unit}".rstrip(), " and ".join(bounds), word]


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
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:.3g}"
