"""Puts a timeline together."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.energy.timeline import SLOT, FloatArray
from luna.platform.house_now import begins_assumed
from services.api.timeline.columns import bands, decisions, device_columns, mean_soc, planned_flows, target_soc
from services.api.timeline.ghosts import Seen, compare_next_day, read_stays, trace_reserve, trace_without_luna
from services.api.timeline.measured import Measured, end_of, read_expected, read_measured, read_prices, seconds_since
from services.api.timeline.memory import PlanMemory
from services.api.timeline.owner import apply_override, apply_past_overrides, name_deciders, read_blocks, read_logged, read_overrides
from services.api.timeline.plan_parts import Followed, PlanPart, read_followed
from services.api.timeline.window import Window

Document = dict[str, Any]


def build_timeline(connection: Connection, window: Window, memory: PlanMemory) -> Document:
    """Return everything that the plan chart draws of a window, as ``Timelines`` describes it; unknown numbers are NaN."""
    followed = read_followed(connection, window, memory)
    said = memory.recall(_key(followed, window), lambda: _say_plans(followed, window))
    measured, prices = read_measured(connection, window), read_prices(connection, window, said.prices)
    overrides = read_overrides(connection, window)
    inputs = followed.latest.inputs if followed.latest else {"state": None, "reserves": None}
    stays = read_stays(inputs["state"], window.site, window.timeline)
    logged = read_logged(connection, window)
    deciders = name_deciders(logged, window, planned=[part is not None for part in followed.parts], overrides=overrides)
    decided = apply_past_overrides(logged, said.decisions, deciders, window)
    seen = Seen(measured, said.planned, prices, said.soc, stays)
    return (
        _frame(window)
        | {"plan": _describe_plan(followed, window), "ages_s": _ages(followed, measured, window)}
        | {"prices": {"import": prices.import_price, "export": prices.export_price, "known_slots": prices.known}}
        | {"estimated": measured.estimated}
        | {"measured": measured.flows | {"soc": measured.soc}, "planned": {**said.planned, "soc": said.soc, "target_soc": said.target_soc}, "bands": said.bands}
        | {"devices": said.devices, "reserve_soc": trace_reserve(inputs["reserves"], window.site, window.timeline)}
        | {"decisions": apply_override(decided, deciders, overrides, window) | {"decided_by": deciders}}
        | {"ghosts": _draw_ghosts(followed, seen, window, expected=read_expected(connection, window), memory=memory) | {"midnight": said.midnight}}
        | {"stays": stays, "overrides": overrides, "blocks": read_blocks(connection, window)}
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What plans say of a window, in columns; it changes with a new plan or a new slot alone."""

    planned: dict[str, FloatArray]
    soc: FloatArray
    target_soc: FloatArray
    bands: dict[str, FloatArray]
    devices: list[Document]
    prices: tuple[FloatArray, FloatArray]
    decisions: dict[str, list[Any]]
    midnight: Document


def _key(followed: Followed, window: Window) -> Hashable:
    told = tuple(part.plan_id if part else None for part in followed.parts)
    midnight = followed.midnight.reply["plan_id"] if followed.midnight else None
    return ("said", window.site.model_dump_json(), window.numbers, window.timeline.start, window.past, told, midnight)


def _say_plans(followed: Followed, window: Window) -> _Said:
    parts, site = followed.parts, window.site
    ahead = [part if slot >= window.past else None for slot, part in enumerate(parts)]
    return _Said(
        planned_flows(ahead),
        mean_soc(ahead, site),
        target_soc(ahead, site),
        bands(ahead),
        device_columns(ahead, site),
        _expected_prices(parts),
        decisions(parts, window.timeline, site, window.numbers),
        _trace_midnight(followed, window),
    )


def _trace_midnight(followed: Followed, window: Window) -> Document:
    plan = followed.midnight
    parts = [plan.part_at(start) if plan else None for start in window.timeline]
    named = {"plan_id": plan.reply["plan_id"], "issued_at": plan.issued_at} if plan else {"plan_id": None, "issued_at": None}
    return named | {"soc": mean_soc(parts, window.site)}


def _frame(window: Window) -> Document:
    site, timeline, numbers = window.site, window.timeline, window.numbers
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
    }


def _describe_plan(followed: Followed, window: Window) -> Document | None:
    if followed.latest is None:
        return None
    reply = followed.latest.reply
    known_until = reply.get("prices_known_until")
    return {name: reply[name] for name in ("plan_id", "status")} | {
        "issued_at": followed.latest.issued_at,
        "prices_known_until": None if known_until is None else datetime.fromisoformat(known_until),
        "covers_now": followed.latest.part_at(window.running) is not None,
        "forecast_version": (reply.get("forecast") or {}).get("version"),
        "soc_assumed": begins_assumed(note["code"] for note in reply.get("notes", [])),
    }


def _ages(followed: Followed, measured: Measured, window: Window) -> Document:
    latest = followed.latest
    forecast = (latest.reply.get("forecast") or {}).get("issued_at") if latest else None
    return {
        "plan": seconds_since(latest.issued_at if latest else None, window.now),
        "measured": seconds_since(end_of(window.timeline, measured.last), window.now),
        "forecast": seconds_since(datetime.fromisoformat(forecast) if forecast else None, window.now),
    }


def _expected_prices(parts: list[PlanPart | None]) -> tuple[FloatArray, FloatArray]:
    imported, exported = (np.array([part.first[name] if part else np.nan for part in parts]) for name in ("import_price", "export_price"))
    return imported, exported


def _draw_ghosts(followed: Followed, seen: Seen, window: Window, *, expected: dict[str, FloatArray], memory: PlanMemory) -> Document:
    prices = (seen.prices.import_price, seen.prices.export_price)
    arrays = (seen.measured.soc, *seen.measured.flows.values(), *seen.planned.values(), *expected.values(), *prices)
    digest = hashlib.sha256(b"".join(each.tobytes() for each in arrays)).digest()
    key = ("without", window.site.model_dump_json(), window.timeline.start, str(seen.stays), digest)
    without = memory.recall(key, lambda: trace_without_luna(window, seen, expected))
    alone = np.full(window.timeline.count, np.nan)
    if without is not None:
        alone[without[0] : without[0] + without[1].soc.size] = without[1].soc
    next_day = compare_next_day(window, seen, without, energy_value=_value_of(followed, window))
    return {"without_luna": {"soc": alone, "next_day": next_day}, "forecast_then": expected}


def _value_of(followed: Followed, window: Window) -> float | None:
    part = followed.parts[window.past] if window.past < len(followed.parts) else None
    value: float | None = part.first["reason"].get("energy_value") if part else None
    return value
