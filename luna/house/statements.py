"""Describe a house by ordered statements, which every surface puts into the same words.

A statement is a code of ``luna.words.house`` with figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from luna.house.by_battery import split_by_battery
from luna.house.findings import FindingCode, SiteFinding
from luna.house.now import (
    BatteryRun,
    DeviceUse,
    HouseFigure,
    HouseNow,
    PlannedSession,
    format_run,
)
from luna.words import Numbers, say_mode
from luna.words.devices import say_device
from luna.words.house import HOUSE, say_basis
from luna.words.notes import say_note
from luna.words.refusals import say_refusal
from luna.words.times import say_when

StatedKind = Literal["kwh", "cost", "soc", "name", "instant"]


@dataclass(frozen=True, slots=True)
class StatedFigure:
    """A figure of a statement, in kWh, currency or as a share; or words, or an instant."""

    kind: StatedKind
    value: float | str | datetime


@dataclass(frozen=True, slots=True)
class HouseStatement:
    """One sentence about the house: its code, and its figures by name."""

    code: str
    figures: dict[str, StatedFigure]


def state_house(house: HouseNow, numbers: Numbers) -> list[HouseStatement]:
    """Return the statements on the house; unknowns are left out."""
    return [*_state_devices(house, numbers), *_state_days(house, numbers)]


def _state_devices(house: HouseNow, numbers: Numbers) -> Iterator[HouseStatement]:
    planned = house.planned
    if house.slot is None:
        yield from _state_no_plan(house, numbers)
    elif not house.armed:
        yield HouseStatement("house_would", {})
    for finding in house.deviating_devices:
        yield _state_deviation(finding, numbers)
    if house.unknown_since is not None:
        since = StatedFigure("instant", house.unknown_since)
        yield HouseStatement("house_unknown", {"at": since})
    yield from _state_batteries(house, numbers)
    for use in planned.uses:
        yield state_use(use, numbers)
    for session in planned.sessions[:1]:
        yield _state_session(session, numbers)
    for finding in house.findings:
        if "note" in finding.figures:
            yield _state_level(finding, numbers)
    yield from _state_charges(house, numbers)


def _state_days(house: HouseNow, numbers: Numbers) -> Iterator[HouseStatement]:
    planned = house.planned
    yield from _state_figure("house_paid_today", "cost", planned.paid_today, numbers)
    yield from _state_figure("house_cost_today", "cost", planned.cost_today, numbers)
    yield from _state_figure("house_paid_yesterday", "cost", planned.paid_yesterday, numbers)
    saved_today = "house_saved_today" if house.armed else "house_would_save_today"
    yield from _state_figure(saved_today, "saved", planned.saved_today, numbers)
    if planned.saved_today:
        saved = planned.saved_yesterday
        yield from _state_figure("house_saved_yesterday", "saved", saved, numbers)


def format_statement(statement: HouseStatement, numbers: Numbers, *, now: datetime) -> str:
    """Return a statement as a sentence, with times relative to ``now``."""
    figures = {
        name: _format_figure(figure, numbers, now) for name, figure in statement.figures.items()
    }
    # The reason at a sentence's end is empty where another battery moves more in each slot.
    return HOUSE.say(statement.code, numbers.language, **figures).rstrip()


def _format_figure(figure: StatedFigure, numbers: Numbers, now: datetime) -> str:
    value = figure.value
    if isinstance(value, datetime):
        return say_when(value, now=now, numbers=numbers)
    if isinstance(value, str):
        return value
    if figure.kind == "kwh":
        return numbers.amount(value)
    if figure.kind == "cost":
        return numbers.money(value)
    return numbers.share(value)


def _state_no_plan(house: HouseNow, numbers: Numbers) -> Iterator[HouseStatement]:
    yield HouseStatement("house_no_plan", {})
    if house.fault is not None:
        why = str(say_refusal(house.fault.error, numbers.language))
        tried = StatedFigure("instant", house.fault.tried_at)
        yield HouseStatement("house_fault", {"tried": tried, "why": _name(why)})


_DEVIATIONS: dict[FindingCode, str] = {
    "device_silent": "house_silent",
    "device_disobeys": "house_disobeys",
    "device_spared": "house_spared",
    "device_kept": "house_kept",
}


def _state_deviation(finding: SiteFinding, numbers: Numbers) -> HouseStatement:
    # Several batteries are commanded together; people know them by their names.
    names = finding.figures.get("batteries", [finding.figures["device"]])
    called = [say_device(name, language=numbers.language) for name in names]
    figures = {
        "device": _name(", ".join(called)),
        "at": StatedFigure("instant", finding.figures["at"]),
    }
    return HouseStatement(_DEVIATIONS[finding.code], figures)


def _state_level(finding: SiteFinding, numbers: Numbers) -> HouseStatement:
    code, figures = finding.figures["note"]
    return HouseStatement("house_level", {"note": _name(say_note(code, figures, numbers))})


def _state_batteries(house: HouseNow, numbers: Numbers) -> Iterator[HouseStatement]:
    """Yield the batteries' current and next runs; of several, each by its name."""
    for view, name_figure in _name_batteries(house, numbers):
        if view.runs:
            yield from _state_runs(view.runs[0], view, numbers, name_figure)


def _state_charges(house: HouseNow, numbers: Numbers) -> Iterator[HouseStatement]:
    for view, name_figure in _name_batteries(house, numbers):
        yield from _state_stored(view.planned.soc, numbers, name_figure)


def _name_batteries(
    house: HouseNow, numbers: Numbers
) -> Iterator[tuple[HouseNow, dict[str, StatedFigure]]]:
    """Yield the view of each battery, with its name as a figure if there are several."""
    if not house.site.batteries:
        return
    views = split_by_battery(house)
    for view in views:
        name = say_device(view.site.batteries[0].name, language=numbers.language)
        if len(views) > 1:
            yield view, {"device": _name(name)}
        else:
            yield view, {}


def _state_runs(
    run: BatteryRun, house: HouseNow, numbers: Numbers, subject: dict[str, StatedFigure]
) -> Iterator[HouseStatement]:
    """Yield the current and the next run; ``subject`` names one of several batteries."""
    ending = "_each" if subject else ""
    end = StatedFigure("instant", run.end)
    current = {**subject, "end": end, **_describe_run(run, house, numbers)}
    yield HouseStatement(f"house_now{ending}", current)
    if house.level_reached is not None:
        yield HouseStatement(f"house_{house.level_reached}{ending}", subject)
    following = house.next_run
    if following is not None:
        begin = StatedFigure("instant", following.start)
        next_figures = {**subject, "begin": begin, **_describe_run(following, house, numbers)}
        yield HouseStatement(f"house_next{ending}", next_figures)


def _describe_run(run: BatteryRun, house: HouseNow, numbers: Numbers) -> dict[str, StatedFigure]:
    return {
        "mode": _name(say_mode(run.mode, language=numbers.language, of_battery=True)),
        "reason": _name(format_run(run, numbers, now=house.now)),
    }


def state_use(use: DeviceUse, numbers: Numbers) -> HouseStatement:
    """Return the statement on a device's next use: time, energy and cost."""
    figures = {
        "device": _name(say_device(use.name, language=numbers.language)),
        "basis": _basis(use, numbers),
        "begin": StatedFigure("instant", use.run.start),
        "end": StatedFigure("instant", use.run.end),
        "kwh": StatedFigure("kwh", use.run.energy_kwh),
        "cost": StatedFigure("cost", use.run.cost),
    }
    return HouseStatement("house_use", figures)


def _state_session(session: PlannedSession, numbers: Numbers) -> HouseStatement:
    figures = {
        "device": _name(say_device(session.device, language=numbers.language)),
        "end": StatedFigure("instant", session.end),
        "arrives": StatedFigure("soc", session.arrives_soc.value),
        "leaves": StatedFigure("soc", session.leaves_soc.value),
        "arrives_basis": _basis(session.arrives_soc, numbers),
        "basis": _basis(session.leaves_soc, numbers),
    }
    return HouseStatement("house_car", figures)


def _state_stored(
    soc: HouseFigure | None, numbers: Numbers, subject: dict[str, StatedFigure]
) -> Iterator[HouseStatement]:
    if soc is None:
        return
    ending = "_each" if subject else ""
    figures = {**subject, "soc": StatedFigure("soc", soc.value), "basis": _basis(soc, numbers)}
    if soc.at is None:
        yield HouseStatement(f"house_stored{ending}", figures)
    else:
        figures["at"] = StatedFigure("instant", soc.at)
        yield HouseStatement(f"house_stored_at{ending}", figures)


def _state_figure(
    code: str, name: str, figure: HouseFigure | None, numbers: Numbers
) -> Iterator[HouseStatement]:
    if figure is not None:
        amount = StatedFigure("cost", figure.value)
        yield HouseStatement(code, {name: amount, "basis": _basis(figure, numbers)})


def _name(words: str) -> StatedFigure:
    return StatedFigure("name", words)


def _basis(figure: HouseFigure | DeviceUse, numbers: Numbers) -> StatedFigure:
    return _name(say_basis(figure.basis, language=numbers.language))
