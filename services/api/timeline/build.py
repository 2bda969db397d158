"""Build the timeline document of the plan chart.

For comparison it holds the site without Luna, the plan of the last local midnight, and the
forecasts in force at each past slot.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.energy.devices import CHARGED_KINDS, FLOW_KINDS, SWITCHED_KINDS
from luna.energy.devices.battery import BATTERIES
from luna.energy.devices.kind import DeviceKind
from luna.energy.economics.charges import slot_surcharge
from luna.energy.economics.device_charges import TariffCharges, device_slot_cost
from luna.energy.site import Site
from luna.energy.timeline import (
    SLOT,
    SLOTS_PER_DAY,
    SLOTS_PER_HOUR,
    FloatArray,
    Timeline,
    parse_zone,
)
from luna.energy.without_luna import ChargerSession, House, WithoutLuna, run_without_luna
from luna.house.account import bills_own_price, read_tariff_charges
from luna.house.now_reader import begins_assumed
from luna.platform.database import control, manual_blocks, plan_slots
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
    Measured,
    MeasuredPrices,
    power_column,
    read_expected,
    read_measured,
    read_prices,
)
from services.api.timeline.memory import PlanMemory
from services.api.timeline.plan_parts import Followed, WholePlan, read_followed
from services.api.timeline.window import Window

_BLOCK_FIELDS = {"block_id", "device", "action", "from_", "to", "power_kw"}
_Logged = Mapping[datetime, plan_slots.LoggedSlot]


@dataclass(frozen=True, slots=True)
class WindowValues:
    """The inputs of the comparison without Luna.

    Measured and planned powers in kW, prices and charging sessions.
    """

    measured: Measured
    planned: Mapping[str, FloatArray]
    prices: MeasuredPrices
    sessions: Sequence[Mapping[str, Any]]


def read_sessions(
    state: Mapping[str, Any] | None, site: Site, timeline: Timeline
) -> list[dict[str, Any]]:
    """Return a plan's charging sessions that overlap the timeline, by start.

    The device's name is the value of its kind's field.
    """
    sessions = []
    for kind in CHARGED_KINDS:
        devices = (state or {}).get(kind.section) or {}
        for device in kind.of(site):
            for session in devices.get(device.name, {}).get("sessions", ()):
                begin = datetime.fromisoformat(session["from"])
                end = datetime.fromisoformat(session["to"])
                if begin < timeline.end and end > timeline.start:
                    times = {name: session.get(name) for name in ("from", "to", "target_soc")}
                    charging_session = {
                        kind.name: device.name,
                        **times,
                        "charge_kw": device.charge_limit_kw,
                    }
                    sessions.append(charging_session)
    return sorted(sessions, key=_begin_of)


def _begin_of(session: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(session["from"])


def trace_reserve(
    reserves: Iterable[Mapping[str, Any]] | None, site: Site, timeline: Timeline
) -> FloatArray:
    """Return the reserve of all batteries in each slot, share of capacity.

    A battery's reserve is its minimum state of charge or a requested reserve; NaN without
    batteries.
    """
    if not site.batteries:
        return np.full(timeline.count, np.nan)
    floors = np.array([np.full(timeline.count, battery.min_soc) for battery in site.batteries])
    for reserve in reserves or ():
        begin = datetime.fromisoformat(reserve["from"])
        end = datetime.fromisoformat(reserve["to"])
        inside = timeline.overlap_hours(begin, end) > 0
        for row, battery in zip(floors, site.batteries, strict=True):
            if reserve.get("battery") in (None, battery.name):
                floor = min(float(reserve["soc"]), battery.max_soc)
                row[inside] = np.maximum(row[inside], floor)
    weights = [battery.capacity_kwh for battery in site.batteries]
    return np.average(floors, axis=0, weights=weights)


def trace_without_luna(
    window: Window, values: WindowValues, expected: Mapping[str, FloatArray]
) -> tuple[int, WithoutLuna] | None:
    """Simulate the site without Luna; return the first slot and the flows from there.

    None without a plan or a measured state of charge.

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
    switched_measured = np.zeros_like(planned["load_kw"])
    switched_planned = np.zeros_like(planned["load_kw"])
    for kind in SWITCHED_KINDS:
        for series in kind.submetered:
            switched_measured += np.nan_to_num(flows[power_column(series)])
        for column in kind.plan.flows.values():
            switched_planned += planned[column]
    load = _coalesce(
        flows["load_kw"] + switched_measured,
        planned["load_kw"] + switched_planned,
        expected["load_kw"],
    )
    pv = _coalesce(flows["pv_kw"], planned["pv_kw"], expected["pv_kw"])
    charged = []
    for kind in CHARGED_KINDS:
        # A kind's first flow is the energy that it takes.
        inflow = planned[next(iter(kind.plan.flows.values()))]
        charged += [_coalesce(flows[power_column(series)], inflow) for series in kind.submetered]
    charged_kwh = np.sum(charged, axis=0)[span] / SLOTS_PER_HOUR
    sessions = _list_charger_sessions(values.sessions, timeline)
    house = House(
        timeline=timeline,
        load_kwh=load[span] / SLOTS_PER_HOUR,
        pv_kwh=pv[span] / SLOTS_PER_HOUR,
        charge_kwh=charged_kwh,
        sessions=sessions,
    )
    prices = (
        np.nan_to_num(values.prices.import_price[span]),
        np.nan_to_num(values.prices.export_price[span]),
    )
    soc = float(measured.soc[first - 1])
    return first, run_without_luna(window.site, house, soc=soc, prices=prices)


def _list_charger_sessions(
    sessions: Iterable[Mapping[str, Any]], timeline: Timeline
) -> list[ChargerSession]:
    """Return the charging sessions within a timeline, as slots of it."""

    def place(instant: str) -> int:
        # Rounded up to the next slot.
        slot = -((timeline.start - datetime.fromisoformat(instant)) // SLOT)
        return int(np.clip(slot, 0, timeline.count))

    charger_sessions = []
    for session in sessions:
        arrival = place(session["from"])
        departure = place(session["to"])
        if departure > arrival:
            charger_sessions.append(ChargerSession(arrival, departure, float(session["charge_kw"])))
    return charger_sessions


def compare_next_day(
    window: Window,
    values: WindowValues,
    without: tuple[int, WithoutLuna] | None,
    *,
    energy_value: float | None,
    charges: TariffCharges,
) -> dict[str, float] | None:
    """Return the cost of the next 24 hours with the plan and without Luna.

    None where less than a day is planned.

    A difference in stored energy at the end counts at ``energy_value``, currency/kWh. ``charges``
    are those on these hours.
    """
    span = slice(window.past, window.past + SLOTS_PER_DAY)
    bought = values.planned["import_kw"][span] / SLOTS_PER_HOUR
    sold = values.planned["export_kw"][span] / SLOTS_PER_HOUR
    import_price = values.prices.import_price[span]
    export_price = values.prices.export_price[span]
    if without is None or bought.size < SLOTS_PER_DAY:
        return None
    if not np.isfinite([bought, sold, import_price, export_price]).all():
        return None
    first, alone = without
    place = slice(span.start - first, span.stop - first)
    cost = float(bought @ import_price - sold @ export_price)
    cost_alone = float(
        alone.import_kwh[place] @ import_price - alone.export_kwh[place] @ export_price
    )
    hours = Timeline(window.running, SLOT, SLOTS_PER_DAY)
    zone = parse_zone(window.site.timezone)
    # Prices that no market has published are a plan's, which hold blocks and allowances already.
    published = slice(max(values.prices.published_slots - window.past, 0))
    beside = slot_surcharge(charges.house, bought, hours, zone=zone)
    beside_alone = slot_surcharge(charges.house, alone.import_kwh[place], hours, zone=zone)
    cost += float(beside[published].sum())
    cost_alone += float(beside_alone[published].sum())
    priced: set[str] = {charge.price.devices for charge in charges.devices}
    planned_use: dict[str, FloatArray] = {}
    use_alone: dict[str, FloatArray] = {}
    for kind in FLOW_KINDS:
        if kind.section in priced and _bills_own_price(window, values, kind):
            # A kind's first flow is the energy that it takes.
            column = next(iter(kind.plan.flows.values()))
            planned_use[kind.section] = np.nan_to_num(values.planned[column][span]) / SLOTS_PER_HOUR
            charges_early = kind in CHARGED_KINDS
            own_use = alone.charge_kwh[place] if charges_early else planned_use[kind.section]
            use_alone[kind.section] = own_use
    cost += float(device_slot_cost(charges.devices, planned_use, hours, zone=zone).sum())
    cost_alone += float(device_slot_cost(charges.devices, use_alone, hours, zone=zone).sum())
    capacity_kwh = sum(battery.capacity_kwh for battery in window.site.batteries)
    surplus_soc = values.planned["soc"][span.stop - 1] - alone.soc[place][-1]
    surplus_kwh = float(np.nan_to_num(surplus_soc)) * capacity_kwh
    return {"cost": cost, "cost_without_luna": cost_alone + surplus_kwh * (energy_value or 0.0)}


def _bills_own_price(window: Window, values: WindowValues, kind: DeviceKind[Any]) -> bool:
    recorded = [values.measured.flows[power_column(series)] for series in kind.submetered]
    return bills_own_price(window.site, kind, np.concatenate(recorded))


def _coalesce(*sources: FloatArray) -> FloatArray:
    result = np.zeros_like(sources[0])
    for source in reversed(sources):
        result = np.where(np.isfinite(source), source, result)
    return result


Document = dict[str, Any]


def build_timeline(connection: Connection, window: Window, memory: PlanMemory) -> Document:
    """Return a window's timeline with the fields of ``Timelines``, NaN for unknown numbers."""
    site = window.site
    timeline = window.timeline
    numbers = window.numbers
    followed = read_followed(connection, window, memory)
    plan = _recall_plan_columns(followed, window, memory)
    measured = read_measured(connection, window)
    prices = read_prices(connection, window, plan.prices)
    overrides = _read_overrides(connection, window)
    blocks = manual_blocks.read_standing(
        connection, site.name, first=timeline.start, end=timeline.end
    )
    latest = followed.latest
    inputs = latest.inputs if latest else {"state": None, "reserves": None}
    sessions = read_sessions(inputs["state"], site, timeline)
    logged = plan_slots.read_logged(
        connection, site.name, timeline.start, timeline.end, device=BATTERIES
    )
    planned = [part is not None for part in followed.parts]
    deciders = _name_deciders(logged, window, planned=planned, overrides=overrides)
    decided = _apply_owner(plan.decisions, deciders, logged, overrides=overrides, window=window)
    values = WindowValues(measured, plan.planned, prices, sessions)
    expected = read_expected(connection, window)
    ghosts = _draw_ghosts(connection, followed, values, window, expected=expected, memory=memory)
    block_documents = []
    for block in blocks:
        document = block.model_dump(mode="json", by_alias=True, include=_BLOCK_FIELDS)
        block_documents.append(document)
    scale, unit = numbers.price_unit
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
        "ages_s": _measure_ages(latest, measured, window),
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
        "ghosts": ghosts | {"midnight": plan.midnight},
        "sessions": sessions,
        "overrides": overrides,
        "blocks": block_documents,
    }


def _measure_ages(
    latest: WholePlan | None, measured: Measured, window: Window
) -> dict[str, int | None]:
    """Return the ages of plan, measurements and forecast in seconds, None for missing ones."""
    forecast = (latest.reply.get("forecast") or {}).get("issued_at") if latest else None
    instants = {
        "plan": latest.issued_at if latest else None,
        "measured": measured.end(window.timeline),
        "forecast": datetime.fromisoformat(forecast) if forecast else None,
    }
    ages: dict[str, int | None] = {}
    for name, instant in instants.items():
        ages[name] = None
        if instant is not None:
            ages[name] = max(0, int((window.now - instant).total_seconds()))
    return ages


@dataclass(frozen=True, slots=True)
class _PlanColumns:
    """The columns from plans; only a new plan or a new slot changes them."""

    planned: dict[str, FloatArray]
    bands: dict[str, FloatArray]
    devices: list[Document]
    prices: tuple[FloatArray, FloatArray]
    decisions: dict[str, list[Any]]
    midnight: Document


def _recall_plan_columns(followed: Followed, window: Window, memory: PlanMemory) -> _PlanColumns:
    plan_ids = tuple(part.plan_id if part else None for part in followed.parts)
    midnight_id = followed.midnight.reply["plan_id"] if followed.midnight else None
    key = (
        "columns",
        window.site.model_dump_json(),
        window.numbers,
        window.timeline.start,
        window.past,
        plan_ids,
        midnight_id,
    )
    return memory.recall(key, partial(_compose_plan_columns, followed, window))


def _compose_plan_columns(followed: Followed, window: Window) -> _PlanColumns:
    parts = followed.parts
    site = window.site
    ahead = [part if slot >= window.past else None for slot, part in enumerate(parts)]
    planned = planned_flows(ahead)
    planned |= {"soc": mean_soc(ahead, site), "target_soc": target_soc(ahead, site)}
    import_price = [part.first["import_price"] if part else np.nan for part in parts]
    export_price = [part.first["export_price"] if part else np.nan for part in parts]
    midnight = followed.midnight
    midnight_parts = [midnight.part_at(start) if midnight else None for start in window.timeline]
    midnight_ghost = {
        "plan_id": midnight.reply["plan_id"] if midnight else None,
        "issued_at": midnight.issued_at if midnight else None,
        "soc": mean_soc(midnight_parts, site),
    }
    return _PlanColumns(
        planned=planned,
        bands=bands(ahead),
        devices=device_columns(ahead, site),
        prices=(np.array(import_price), np.array(export_price)),
        decisions=decisions(parts, window.timeline, site, window.numbers),
        midnight=midnight_ghost,
    )


def _describe_plan(followed: Followed, window: Window) -> Document | None:
    if followed.latest is None:
        return None
    reply = followed.latest.reply
    known_until = reply.get("prices_known_until")
    if known_until is not None:
        known_until = datetime.fromisoformat(known_until)
    forecast = reply.get("forecast") or {}
    codes = [note["code"] for note in reply.get("notes", [])]
    return {
        "plan_id": reply["plan_id"],
        "status": reply["status"],
        "issued_at": followed.latest.issued_at,
        "prices_known_until": known_until,
        "covers_now": followed.latest.part_at(window.running) is not None,
        "forecast_version": forecast.get("version"),
        "soc_assumed": begins_assumed(codes),
    }


def _draw_ghosts(
    connection: Connection,
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
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).digest()
    key = (
        "without",
        window.site.model_dump_json(),
        window.timeline.start,
        str(values.sessions),
        digest,
    )
    without = memory.recall(key, partial(trace_without_luna, window, values, expected))
    soc_alone = np.full(window.timeline.count, np.nan)
    if without is not None:
        first, flows = without
        soc_alone[first : first + flows.soc.size] = flows.soc
    part = followed.parts[window.past] if window.past < len(followed.parts) else None
    value: float | None = part.first["reason"].get("energy_value") if part else None
    next_hours = Timeline(window.running, SLOT, SLOTS_PER_DAY)
    charges = read_tariff_charges(connection, window.site, next_hours)
    next_day = compare_next_day(window, values, without, energy_value=value, charges=charges)
    without_luna = {"soc": soc_alone, "next_day": next_day}
    return {"without_luna": without_luna, "forecast_then": expected}


def _read_overrides(connection: Connection, window: Window) -> list[dict[str, Any]]:
    """Return the overrides in force, by device."""
    site_id = window.site.name
    fields = {"mode", "power_kw", "target_soc", "until", "by"}
    overrides = []
    for device in (BATTERIES, *control.list_devices(connection, site_id)):
        state = control.load(connection, site_id, device)
        if state.override and state.override.until > window.now:
            document = state.override.model_dump(mode="json", include=fields)
            overrides.append({"device": state.device} | document)
    return overrides


def _find_battery_override(overrides: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    for override in overrides:
        if override["device"] == BATTERIES:
            return override
    return None


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
    override = _find_battery_override(overrides)
    owner_until = datetime.fromisoformat(override["until"]) if override else None
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
    """Return the decisions, in the owner's slots with the owner's in place of the plan's.

    The mode comes from the log in past slots, and from the override of the batteries in the others.
    """
    columns = {name: list(column) for name, column in decisions.items()}
    override = _find_battery_override(overrides)
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
        elif override and start < datetime.fromisoformat(override["until"]):
            mode = override["mode"]
            until = override["until"]
        if mode is None:
            continue
        reason = {"code": "manual", "text": "", "short": "", "figures": {"time": until}}
        columns["mode"][slot] = mode
        columns["code"][slot] = reason["code"]
        columns["figures"][slot] = reason["figures"]
        columns["cost_of_opposite"][slot] = None
        columns["binding"][slot] = []
        columns["text"][slot] = retell_reason(reason, start, window.numbers)
        columns["short"][slot] = retell_reason(reason, start, window.numbers, short=True)
    return columns
