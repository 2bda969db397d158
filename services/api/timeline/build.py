"""Build the timeline document of the plan chart.

For comparison it holds the site without Luna, the plan of the last local midnight, and the
forecasts in force at each past slot.
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
from luna.words.retold_reasons import retell_reason
from services.api.timeline.columns import (
    bands,
    decisions,
    device_columns,
    mean_soc,
    planned_flows,
    target_soc,
)
from services.api.timeline.measured import (
    PER_HOUR,
    Measured,
    MeasuredPrices,
    power_column,
    read_expected,
    read_measured,
    read_prices,
)
from services.api.timeline.memory import PlanMemory
from services.api.timeline.plan_parts import Followed, read_followed
from services.api.timeline.window import Window

A_DAY = 96
_BLOCK_FIELDS = {"block_id", "device", "action", "from_", "to", "power_kw"}
_Logged = Mapping[datetime, plan_slots.LoggedSlot]


@dataclass(frozen=True, slots=True)
class WindowValues:
    """Measured and planned powers in kW, prices and charging sessions: the inputs of the comparison
    without Luna.
    """

    measured: Measured
    planned: Mapping[str, FloatArray]
    prices: MeasuredPrices
    stays: Sequence[Mapping[str, Any]]


def read_stays(
    state: Mapping[str, Any] | None, site: Site, timeline: Timeline
) -> list[dict[str, Any]]:
    """Return a plan's charging sessions that overlap the timeline, by start.

    The device's name is the value of its kind's field.
    """
    inside = []
    for kind in CHARGED_KINDS:
        begun = (state or {}).get(kind.section) or {}
        for device in kind.of(site):
            for stay in begun.get(device.name, {}).get("sessions", ()):
                if (
                    datetime.fromisoformat(stay["from"]) < timeline.end
                    and datetime.fromisoformat(stay["to"]) > timeline.start
                ):
                    times = {name: stay.get(name) for name in ("from", "to", "target_soc")}
                    inside.append(
                        {kind.name: device.name, **times, "charge_kw": device.charge_limit_kw}
                    )
    return sorted(inside, key=lambda stay: datetime.fromisoformat(stay["from"]))


def trace_reserve(
    reserves: Iterable[Mapping[str, Any]] | None, site: Site, timeline: Timeline
) -> FloatArray:
    """Return the reserve of all batteries in each slot, as a share of their capacity: minimum state
    of charge or requested reserve; NaN without batteries.
    """
    if not site.batteries:
        return np.full(timeline.count, np.nan)
    floors = np.array([np.full(timeline.count, battery.min_soc) for battery in site.batteries])
    for reserve in reserves or ():
        inside = (
            timeline.overlap_hours(
                datetime.fromisoformat(reserve["from"]), datetime.fromisoformat(reserve["to"])
            )
            > 0
        )
        for row, battery in zip(floors, site.batteries, strict=True):
            if reserve.get("battery") in (None, battery.name):
                row[inside] = np.maximum(row[inside], min(float(reserve["soc"]), battery.max_soc))
    return np.average(floors, axis=0, weights=[battery.capacity_kwh for battery in site.batteries])


def trace_without_luna(
    window: Window, values: WindowValues, expected: Mapping[str, FloatArray]
) -> tuple[int, WithoutLuna] | None:
    """Simulate the site without Luna.

    Return the first slot and the flows from there, None without a plan or a measured state of
    charge.

    The first slot follows the first measured state of charge. Flows are measured, else planned,
    else forecast at that time, else zero.
    """
    measured = values.measured
    planned = values.planned
    measured_slots = np.flatnonzero(np.isfinite(measured.soc[: window.past]))
    ahead = np.isfinite(planned["load_kw"])
    if not measured_slots.size or not ahead.any():
        return None
    first = int(measured_slots[0]) + 1
    end = int(np.flatnonzero(ahead)[-1]) + 1
    timeline = window.timeline.window(first, end - first)
    span = slice(first, end)
    flows = measured.flows
    # Without Luna, switched loads run as they were measured, or are planned.
    own = sum(
        np.nan_to_num(flows[power_column(series)])
        for kind in SWITCHED_KINDS
        for series in kind.submetered
    )
    switched = sum(
        planned[column] for kind in SWITCHED_KINDS for column in kind.plan.flows.values()
    )
    load = _coalesce(flows["load_kw"] + own, planned["load_kw"] + switched, expected["load_kw"])
    pv = _coalesce(flows["pv_kw"], planned["pv_kw"], expected["pv_kw"])
    # A kind's first flow is the energy that it takes.
    pairs = [
        (flows[power_column(series)], planned[next(iter(kind.plan.flows.values()))])
        for kind in CHARGED_KINDS
        for series in kind.submetered
    ]
    charged = np.sum([_coalesce(*each) for each in pairs], axis=0)
    inside = []
    for stay in values.stays:
        comes, leaves = (
            int(
                np.clip(
                    -((timeline.start - datetime.fromisoformat(stay[name])) // SLOT),
                    0,
                    timeline.count,
                )
            )
            for name in ("from", "to")
        )
        if leaves > comes:
            inside.append(ChargerStay(comes, leaves, float(stay["charge_kw"])))
    needs = [energy[span] / PER_HOUR for energy in (load, pv, charged)]
    house = House(timeline, needs[0], needs[1], needs[2], inside)
    paid = (
        np.nan_to_num(values.prices.import_price[span]),
        np.nan_to_num(values.prices.export_price[span]),
    )
    return first, run_without_luna(
        window.site, house, soc=float(measured.soc[first - 1]), prices=paid
    )


def compare_next_day(
    window: Window,
    values: WindowValues,
    without: tuple[int, WithoutLuna] | None,
    *,
    energy_value: float | None,
) -> dict[str, float] | None:
    """Return the cost of the next 24 hours with the plan and without Luna.

    None where less than a day is planned.

    A difference in stored energy at the end counts at ``energy_value``, currency/kWh.
    """
    span = slice(window.past, window.past + A_DAY)
    bought = values.planned["import_kw"][span] / PER_HOUR
    sold = values.planned["export_kw"][span] / PER_HOUR
    paid = (values.prices.import_price[span], values.prices.export_price[span])
    if without is None or not np.isfinite([bought, sold, *paid]).all() or bought.size < A_DAY:
        return None
    first, alone = without
    place = slice(span.start - first, span.stop - first)
    cost, other = (
        float(imported @ paid[0] - exported @ paid[1])
        for imported, exported in (
            (bought, sold),
            (alone.import_kwh[place], alone.export_kwh[place]),
        )
    )
    capacity = sum(battery.capacity_kwh for battery in window.site.batteries)
    surplus_kwh = (
        float(np.nan_to_num(values.planned["soc"][span.stop - 1] - alone.soc[place][-1])) * capacity
    )
    return {"cost": cost, "cost_without_luna": other + surplus_kwh * (energy_value or 0.0)}


def _coalesce(*sources: FloatArray) -> FloatArray:
    result = np.zeros_like(sources[0])
    for source in reversed(sources):
        result = np.where(np.isfinite(source), source, result)
    return result


Document = dict[str, Any]


def build_timeline(connection: Connection, window: Window, memory: PlanMemory) -> Document:
    """Return the timeline of a window with the fields of ``Timelines``; unknown numbers are NaN."""
    site = window.site
    timeline = window.timeline
    numbers = window.numbers
    followed = read_followed(connection, window, memory)
    plan_ids = tuple(part.plan_id if part else None for part in followed.parts)
    midnight = followed.midnight.reply["plan_id"] if followed.midnight else None
    key = (
        "columns",
        site.model_dump_json(),
        numbers,
        timeline.start,
        window.past,
        plan_ids,
        midnight,
    )
    plan = memory.recall(key, lambda: _plan_columns(followed, window))
    measured = read_measured(connection, window)
    prices = read_prices(connection, window, plan.prices)
    overrides = _read_overrides(connection, window)
    blocks = manual_blocks.read_standing(
        connection, site.name, first=timeline.start, end=timeline.end
    )
    inputs = followed.latest.inputs if followed.latest else {"state": None, "reserves": None}
    stays = read_stays(inputs["state"], site, timeline)
    logged = plan_slots.read_logged(
        connection, site.name, timeline.start, timeline.end, device=BATTERIES
    )
    deciders = _name_deciders(
        logged, window, planned=[part is not None for part in followed.parts], overrides=overrides
    )
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
        "ages_s": {
            name: None if begun is None else max(0, int((window.now - begun).total_seconds()))
            for name, begun in ages.items()
        },
        "prices": {
            "import": prices.import_price,
            "export": prices.export_price,
            "known_slots": prices.published_slots,
        },
        "estimated": measured.estimated,
        "measured": measured.flows | {"soc": measured.soc},
        "planned": plan.planned,
        "bands": plan.bands,
        "devices": plan.devices,
        "reserve_soc": trace_reserve(inputs["reserves"], site, timeline),
        "decisions": decided | {"decided_by": deciders},
        "ghosts": _draw_ghosts(
            followed, values, window, expected=read_expected(connection, window), memory=memory
        )
        | {"midnight": plan.midnight},
        "stays": stays,
        "overrides": overrides,
        "blocks": [
            block.model_dump(mode="json", by_alias=True, include=_BLOCK_FIELDS) for block in blocks
        ],
    }


@dataclass(frozen=True, slots=True)
class _PlanColumns:
    """The columns from plans; they change with a new plan or a new slot alone."""

    planned: dict[str, FloatArray]
    bands: dict[str, FloatArray]
    devices: list[Document]
    prices: tuple[FloatArray, FloatArray]
    decisions: dict[str, list[Any]]
    midnight: Document


def _plan_columns(followed: Followed, window: Window) -> _PlanColumns:
    parts = followed.parts
    site = window.site
    midnight = followed.midnight
    at_midnight = {
        "plan_id": midnight.reply["plan_id"] if midnight else None,
        "issued_at": midnight.issued_at if midnight else None,
    }
    ahead = [part if slot >= window.past else None for slot, part in enumerate(parts)]
    imported, exported = (
        np.array([part.first[name] if part else np.nan for part in parts])
        for name in ("import_price", "export_price")
    )
    return _PlanColumns(
        planned_flows(ahead)
        | {"soc": mean_soc(ahead, site), "target_soc": target_soc(ahead, site)},
        bands(ahead),
        device_columns(ahead, site),
        (imported, exported),
        decisions(parts, window.timeline, site, window.numbers),
        at_midnight
        | {
            "soc": mean_soc(
                [midnight.part_at(start) if midnight else None for start in window.timeline], site
            )
        },
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


def _draw_ghosts(
    followed: Followed,
    values: WindowValues,
    window: Window,
    *,
    expected: dict[str, FloatArray],
    memory: PlanMemory,
) -> Document:
    prices = (values.prices.import_price, values.prices.export_price)
    arrays = (
        values.measured.soc,
        *values.measured.flows.values(),
        *values.planned.values(),
        *expected.values(),
        *prices,
    )
    digest = hashlib.sha256(b"".join(each.tobytes() for each in arrays)).digest()
    key = (
        "without",
        window.site.model_dump_json(),
        window.timeline.start,
        str(values.stays),
        digest,
    )
    without = memory.recall(key, lambda: trace_without_luna(window, values, expected))
    alone = np.full(window.timeline.count, np.nan)
    if without is not None:
        alone[without[0] : without[0] + without[1].soc.size] = without[1].soc
    part = followed.parts[window.past] if window.past < len(followed.parts) else None
    value: float | None = part.first["reason"].get("energy_value") if part else None
    next_day = compare_next_day(window, values, without, energy_value=value)
    return {"without_luna": {"soc": alone, "next_day": next_day}, "forecast_then": expected}


def _read_overrides(connection: Connection, window: Window) -> list[dict[str, Any]]:
    """Return the overrides in force, by device."""
    site_id = window.site.name
    states = [
        control.load(connection, site_id, device)
        for device in (BATTERIES, *control.list_devices(connection, site_id))
    ]
    fields = {"mode", "power_kw", "target_soc", "until", "by"}
    return [
        {"device": state.device} | state.override.model_dump(mode="json", include=fields)
        for state in states
        if state.override and state.override.until > window.now
    ]


def _name_deciders(
    logged: _Logged,
    window: Window,
    *,
    planned: Sequence[bool],
    overrides: Sequence[Mapping[str, Any]],
) -> list[str | None]:
    """Return who decided each slot: the log for past slots.

    For the others the owner until the override of the batteries ends, then the planner.
    """
    owner_until = max(
        (
            datetime.fromisoformat(each["until"])
            for each in overrides
            if each["device"] == BATTERIES
        ),
        default=None,
    )
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
    decisions: Mapping[str, list[Any]],
    deciders: Sequence[str | None],
    logged: _Logged,
    *,
    overrides: Sequence[Mapping[str, Any]],
    window: Window,
) -> dict[str, list[Any]]:
    """Return the decisions with the owner's in place of the plan's in the slots that the owner
    decided.

    The mode comes from the log in past slots, and from the override of the batteries in the others.
    """
    columns = {name: list(column) for name, column in decisions.items()}
    standing = next((each for each in overrides if each["device"] == BATTERIES), None)
    ended_at = None
    for slot, start in reversed(list(enumerate(window.timeline))):
        if deciders[slot] != "owner":
            ended_at = None
            continue
        mode = None
        until = ""
        if slot < window.past:
            ended_at = ended_at or start + SLOT
            mode = logged[start].mode
            until = ended_at.isoformat()
        elif standing and start < datetime.fromisoformat(standing["until"]):
            mode = standing["mode"]
            until = standing["until"]
        if mode is None:
            continue
        reason = {"code": "manual", "text": "", "short": "", "figures": {"time": until}}
        sentences = {
            name: retell_reason(reason, start, window.numbers, short=name == "short")
            for name in ("text", "short")
        }
        row = {
            "mode": mode,
            "code": reason["code"],
            "figures": reason["figures"],
            "cost_of_opposite": None,
            "binding": [],
            **sentences,
        }
        for name, value in row.items():
            columns[name][slot] = value
    return columns
