"""Puts a timeline together.

Behind the plan it draws for comparison: the site without Luna, the plan of the last midnight, the forecast that was valid then.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.energy.devices import CHARGED_KINDS, SWITCHED_KINDS
from luna.energy.devices.battery import BATTERIES
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.energy.without_luna import ChargerStay, House, WithoutLuna, run_without_luna
from luna.platform.database import control, manual_blocks, plan_slots
from luna.platform.house_reading import begins_assumed
from luna.words.retelling import retell_reason
from services.api.timeline.columns import bands, decisions, device_columns, mean_soc, planned_flows, target_soc
from services.api.timeline.measured import PER_HOUR, Measured, MeasuredPrices, power_column, read_expected, read_measured, read_prices
from services.api.timeline.memory import PlanMemory
from services.api.timeline.plan_parts import Followed, read_followed
from services.api.timeline.window import Window

A_DAY = 96
_BLOCK_FIELDS = {"block_id", "device", "action", "from_", "to", "power_kw"}
_Logged = Mapping[datetime, plan_slots.LoggedSlot]


@dataclass(frozen=True, slots=True)
class WindowValues:
    """What ghosts are compared with: what was measured, what is planned, powers in kW, and the stays at chargers."""

    measured: Measured
    planned: Mapping[str, FloatArray]
    prices: MeasuredPrices
    stays: Sequence[Mapping[str, Any]]


def read_stays(state: Mapping[str, Any] | None, site: Site, timeline: Timeline) -> list[dict[str, Any]]:
    """Return the stays at chargers that a plan was made for and that reach into a timeline, in the order they begin; each device stands under its kind."""
    inside = []
    for kind in CHARGED_KINDS:
        begun = (state or {}).get(kind.section) or {}
        for device in kind.of(site):
            for stay in begun.get(device.name, {}).get("sessions", ()):
                if datetime.fromisoformat(stay["from"]) < timeline.end and datetime.fromisoformat(stay["to"]) > timeline.start:
                    times = {name: stay.get(name) for name in ("from", "to", "target_soc")}
                    inside.append({kind.name: device.name, **times, "charge_kw": device.charge_limit_kw})
    return sorted(inside, key=lambda stay: datetime.fromisoformat(stay["from"]))


def trace_reserve(reserves: Iterable[Mapping[str, Any]] | None, site: Site, timeline: Timeline) -> FloatArray:
    """Return which share all batteries together keep in each slot: their least, and what is asked of them beyond; NaN where there are none."""
    if not site.batteries:
        return np.full(timeline.count, np.nan)
    floors = np.array([np.full(timeline.count, battery.min_soc) for battery in site.batteries])
    for reserve in reserves or ():
        inside = timeline.overlap_hours(datetime.fromisoformat(reserve["from"]), datetime.fromisoformat(reserve["to"])) > 0
        for row, battery in zip(floors, site.batteries, strict=True):
            if reserve.get("battery") in (None, battery.name):
                row[inside] = np.maximum(row[inside], min(float(reserve["soc"]), battery.max_soc))
    return np.average(floors, axis=0, weights=[battery.capacity_kwh for battery in site.batteries])


def trace_without_luna(window: Window, values: WindowValues, expected: Mapping[str, FloatArray]) -> tuple[int, WithoutLuna] | None:
    """Return from which slot on it is told, and what the site would do from there; None where nothing is planned or no state of charge is known.

    It begins after the first measured state of charge. What was not measured is what the forecast of that time expected, else none.
    """
    measured, planned = values.measured, values.planned
    measured_slots = np.flatnonzero(np.isfinite(measured.soc[: window.past]))
    ahead = np.isfinite(planned["load_kw"])
    if not measured_slots.size or not ahead.any():
        return None
    first, end = int(measured_slots[0]) + 1, int(np.flatnonzero(ahead)[-1]) + 1
    timeline = window.timeline.window(first, end - first)
    span = slice(first, end)
    flows = measured.flows
    # What is switched on and off counts as it ran, or is to run.
    own = sum(np.nan_to_num(flows[power_column(series)]) for kind in SWITCHED_KINDS for series in kind.submetered)
    switched = sum(planned[column] for kind in SWITCHED_KINDS for column in kind.flows.values())
    load = _coalesce(flows["load_kw"] + own, planned["load_kw"] + switched, expected["load_kw"])
    pv = _coalesce(flows["pv_kw"], planned["pv_kw"], expected["pv_kw"])
    # Of what a plan says of a device that is charged, what it takes stands first.
    pairs = [(flows[power_column(series)], planned[next(iter(kind.flows.values()))]) for kind in CHARGED_KINDS for series in kind.submetered]
    charged = np.sum([_coalesce(*each) for each in pairs], axis=0)
    inside = []
    for stay in values.stays:
        comes, leaves = (int(np.clip(-((timeline.start - datetime.fromisoformat(stay[name])) // SLOT), 0, timeline.count)) for name in ("from", "to"))
        if leaves > comes:
            inside.append(ChargerStay(comes, leaves, float(stay["charge_kw"])))
    needs = [energy[span] / PER_HOUR for energy in (load, pv, charged)]
    house = House(timeline, needs[0], needs[1], needs[2], inside)
    paid = (np.nan_to_num(values.prices.import_price[span]), np.nan_to_num(values.prices.export_price[span]))
    return first, run_without_luna(window.site, house, soc=float(measured.soc[first - 1]), prices=paid)


def compare_next_day(window: Window, values: WindowValues, without: tuple[int, WithoutLuna] | None, *, energy_value: float | None) -> dict[str, float] | None:
    """Return what the next 24 hours cost with the plan and without it; what either leaves more in the batteries counts at the value of stored energy.

    None where less than a day is planned.
    """
    span = slice(window.past, window.past + A_DAY)
    bought, sold = values.planned["import_kw"][span] / PER_HOUR, values.planned["export_kw"][span] / PER_HOUR
    paid = (values.prices.import_price[span], values.prices.export_price[span])
    if without is None or not np.isfinite([bought, sold, *paid]).all() or bought.size < A_DAY:
        return None
    first, alone = without
    place = slice(span.start - first, span.stop - first)
    cost, other = (
        float(imported @ paid[0] - exported @ paid[1]) for imported, exported in ((bought, sold), (alone.import_kwh[place], alone.export_kwh[place]))
    )
    capacity = sum(battery.capacity_kwh for battery in window.site.batteries)
    surplus_kwh = float(np.nan_to_num(values.planned["soc"][span.stop - 1] - alone.soc[place][-1])) * capacity
    return {"cost": cost, "cost_without_luna": other + surplus_kwh * (energy_value or 0.0)}


def _coalesce(*sources: FloatArray) -> FloatArray:
    result = np.zeros_like(sources[0])
    for source in reversed(sources):
        result = np.where(np.isfinite(source), source, result)
    return result


Document = dict[str, Any]


def build_timeline(connection: Connection, window: Window, memory: PlanMemory) -> Document:
    """Return everything that the plan chart draws of a window, as ``Timelines`` describes it; unknown numbers are NaN."""
    site, timeline, numbers = window.site, window.timeline, window.numbers
    followed = read_followed(connection, window, memory)
    plan_ids = tuple(part.plan_id if part else None for part in followed.parts)
    midnight = followed.midnight.reply["plan_id"] if followed.midnight else None
    key = ("columns", site.model_dump_json(), numbers, timeline.start, window.past, plan_ids, midnight)
    plan = memory.recall(key, lambda: _plan_columns(followed, window))
    measured, prices = read_measured(connection, window), read_prices(connection, window, plan.prices)
    overrides = _read_overrides(connection, window)
    blocks = manual_blocks.read_standing(connection, site.name, first=timeline.start, end=timeline.end)
    inputs = followed.latest.inputs if followed.latest else {"state": None, "reserves": None}
    stays = read_stays(inputs["state"], site, timeline)
    logged = plan_slots.read_logged(connection, site.name, timeline.start, timeline.end, device=BATTERIES)
    deciders = _name_deciders(logged, window, planned=[part is not None for part in followed.parts], overrides=overrides)
    values = WindowValues(measured, plan.planned, prices, stays)
    scale, unit = numbers.price_unit
    latest = followed.latest
    forecast = (latest.reply.get("forecast") or {}).get("issued_at") if latest else None
    ages = {
        "plan": latest.issued_at if latest else None,
        "measured": measured.end(timeline),
        "forecast": datetime.fromisoformat(forecast) if forecast else None,
    }
    decided = _apply_owner(plan.decisions, deciders, logged, overrides=overrides, window=window)
    return {
        "site": site.name,
        "timezone": site.timezone,
        "currency": site.currency,
        "language": numbers.language,
        "price_scale": scale,
        "price_unit": unit,
        "start": timeline.start,
        "slot_minutes": int(SLOT.total_seconds() // 60),
        "slots": timeline.count,
        "past_slots": window.past,
        "now": window.now,
        "plan": _describe_plan(followed, window),
        "ages_s": {name: None if begun is None else max(0, int((window.now - begun).total_seconds())) for name, begun in ages.items()},
        "prices": {"import": prices.import_price, "export": prices.export_price, "known_slots": prices.published_slots},
        "estimated": measured.estimated,
        "measured": measured.flows | {"soc": measured.soc},
        "planned": plan.planned,
        "bands": plan.bands,
        "devices": plan.devices,
        "reserve_soc": trace_reserve(inputs["reserves"], site, timeline),
        "decisions": decided | {"decided_by": deciders},
        "ghosts": _draw_ghosts(followed, values, window, expected=read_expected(connection, window), memory=memory) | {"midnight": plan.midnight},
        "stays": stays,
        "overrides": overrides,
        "blocks": [block.model_dump(mode="json", by_alias=True, include=_BLOCK_FIELDS) for block in blocks],
    }


@dataclass(frozen=True, slots=True)
class _PlanColumns:
    """What plans say of a window, in columns; it changes with a new plan or a new slot alone."""

    planned: dict[str, FloatArray]
    bands: dict[str, FloatArray]
    devices: list[Document]
    prices: tuple[FloatArray, FloatArray]
    decisions: dict[str, list[Any]]
    midnight: Document


def _plan_columns(followed: Followed, window: Window) -> _PlanColumns:
    parts, site, midnight = followed.parts, window.site, followed.midnight
    at_midnight = {"plan_id": midnight.reply["plan_id"] if midnight else None, "issued_at": midnight.issued_at if midnight else None}
    ahead = [part if slot >= window.past else None for slot, part in enumerate(parts)]
    imported, exported = (np.array([part.first[name] if part else np.nan for part in parts]) for name in ("import_price", "export_price"))
    return _PlanColumns(
        planned_flows(ahead) | {"soc": mean_soc(ahead, site), "target_soc": target_soc(ahead, site)},
        bands(ahead),
        device_columns(ahead, site),
        (imported, exported),
        decisions(parts, window.timeline, site, window.numbers),
        at_midnight | {"soc": mean_soc([midnight.part_at(start) if midnight else None for start in window.timeline], site)},
    )


def _describe_plan(followed: Followed, window: Window) -> Document | None:
    if followed.latest is None:
        return None
    reply = followed.latest.reply
    until = reply.get("prices_known_until")
    return {name: reply[name] for name in ("plan_id", "status")} | {
        "issued_at": followed.latest.issued_at,
        "prices_known_until": None if until is None else datetime.fromisoformat(until),
        "covers_now": followed.latest.part_at(window.running) is not None,
        "forecast_version": (reply.get("forecast") or {}).get("version"),
        "soc_assumed": begins_assumed(note["code"] for note in reply.get("notes", [])),
    }


def _draw_ghosts(followed: Followed, values: WindowValues, window: Window, *, expected: dict[str, FloatArray], memory: PlanMemory) -> Document:
    prices = (values.prices.import_price, values.prices.export_price)
    arrays = (values.measured.soc, *values.measured.flows.values(), *values.planned.values(), *expected.values(), *prices)
    digest = hashlib.sha256(b"".join(each.tobytes() for each in arrays)).digest()
    key = ("without", window.site.model_dump_json(), window.timeline.start, str(values.stays), digest)
    without = memory.recall(key, lambda: trace_without_luna(window, values, expected))
    alone = np.full(window.timeline.count, np.nan)
    if without is not None:
        alone[without[0] : without[0] + without[1].soc.size] = without[1].soc
    part = followed.parts[window.past] if window.past < len(followed.parts) else None
    value: float | None = part.first["reason"].get("energy_value") if part else None
    next_day = compare_next_day(window, values, without, energy_value=value)
    return {"without_luna": {"soc": alone, "next_day": next_day}, "forecast_then": expected}


def _read_overrides(connection: Connection, window: Window) -> list[dict[str, Any]]:
    """Return what the owner wants instead of the plan now, device by device."""
    site_id = window.site.name
    states = [control.load(connection, site_id, device) for device in (BATTERIES, *control.list_devices(connection, site_id))]
    fields = {"mode", "power_kw", "target_soc", "until", "by"}
    return [
        {"device": state.device} | state.override.model_dump(mode="json", include=fields)
        for state in states
        if state.override and state.override.until > window.now
    ]


def _name_deciders(logged: _Logged, window: Window, *, planned: Sequence[bool], overrides: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Return who decided each slot: of past ones as the log has it, of coming ones the owner until an override of the batteries ends, then the planner."""
    owner_until = max((datetime.fromisoformat(each["until"]) for each in overrides if each["device"] == BATTERIES), default=None)
    deciders: list[str | None] = []
    for start, is_planned in zip(window.timeline, planned, strict=True):
        if start in logged:
            deciders.append(logged[start].decided_by)
        elif start + SLOT <= window.now:
            deciders.append(None)
        elif owner_until is not None and start < owner_until:
            deciders.append("owner")
        else:
            deciders.append("planner" if is_planned else None)
    return deciders


def _apply_owner(
    decisions: Mapping[str, list[Any]], deciders: Sequence[str | None], logged: _Logged, *, overrides: Sequence[Mapping[str, Any]], window: Window
) -> dict[str, list[Any]]:
    """Return what was decided, in the slots that were or are the owner's with what the owner wanted of the batteries: whatever a plan had wanted then.

    What was wanted of slots that are over says the log, of those to come an override that has not ended.
    """
    columns = {name: list(column) for name, column in decisions.items()}
    standing = next((each for each in overrides if each["device"] == BATTERIES), None)
    ended_at = None
    for slot, start in reversed(list(enumerate(window.timeline))):
        if deciders[slot] != "owner":
            ended_at = None
            continue
        mode, until = None, ""
        if slot < window.past:
            ended_at = ended_at or start + SLOT
            mode, until = logged[start].mode, ended_at.isoformat()
        elif standing and start < datetime.fromisoformat(standing["until"]):
            mode, until = standing["mode"], standing["until"]
        if mode is None:
            continue
        reason = {"code": "manual", "text": "", "short": "", "figures": {"time": until}}
        sentences = {name: retell_reason(reason, start, window.numbers, short=name == "short") for name in ("text", "short")}
        row = {"mode": mode, "code": reason["code"], "figures": reason["figures"], "cost_of_opposite": None, "binding": [], **sentences}
        for name, value in row.items():
            columns[name][slot] = value
    return columns
