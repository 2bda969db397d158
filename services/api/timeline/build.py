"""Puts a timeline together."""

from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.timeline import SLOT, FloatArray
from services.api.timeline.columns import bands, decisions, device_columns, mean_soc, planned_flows
from services.api.timeline.ghosts import Seen, compare_next_day, read_stays, trace_reserve, trace_without_luna
from services.api.timeline.measured import (
    Measured,
    end_of,
    name_deciders,
    read_blocks,
    read_expected,
    read_measured,
    read_overrides,
    read_prices,
    seconds_since,
)
from services.api.timeline.memory import PlanMemory
from services.api.timeline.plan_parts import Followed, Part, read_followed
from services.api.timeline.window import Window

Document = dict[str, Any]


def build_timeline(connection: Connection, window: Window, memory: PlanMemory) -> Document:
    """Return everything that the plan chart draws of a window, as ``Timelines`` describes it; unknown numbers are NaN."""
    followed = read_followed(connection, window, memory)
    ahead = [part if slot >= window.past else None for slot, part in enumerate(followed.parts)]
    planned, measured = planned_flows(ahead), read_measured(connection, window)
    prices = read_prices(connection, window, _expected_prices(followed.parts))
    overrides = read_overrides(connection, window)
    inputs = followed.latest.inputs if followed.latest else {"vehicles": None, "reserves": None}
    stays = read_stays(inputs["vehicles"], window.site, window.timeline)
    soc = mean_soc(ahead, window.site)
    deciders = name_deciders(connection, window, planned=[part is not None for part in followed.parts], overrides=overrides)
    return (
        _frame(window)
        | {"plan": _describe_plan(followed, window), "ages_s": _ages(followed, measured, window)}
        | {"prices": {"import": prices.import_price, "export": prices.export_price, "known_slots": prices.known}}
        | {"measured": measured.flows | {"soc": measured.soc}, "planned": planned | {"soc": soc}, "bands": bands(ahead)}
        | {"devices": device_columns(ahead, window.site), "reserve_soc": trace_reserve(inputs["reserves"], window.site, window.timeline)}
        | {"decisions": _decide(followed.parts, window, memory) | {"decided_by": deciders}}
        | {"ghosts": _draw_ghosts(connection, window, followed, Seen(measured, planned, prices, soc, stays))}
        | {"stays": stays, "overrides": overrides, "blocks": read_blocks(connection, window)}
    )


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
    }


def _ages(followed: Followed, measured: Measured, window: Window) -> Document:
    latest = followed.latest
    forecast = (latest.reply.get("forecast") or {}).get("issued_at") if latest else None
    return {
        "plan": seconds_since(latest.issued_at if latest else None, window.now),
        "measured": seconds_since(end_of(window.timeline, measured.last), window.now),
        "forecast": seconds_since(datetime.fromisoformat(forecast) if forecast else None, window.now),
    }


def _expected_prices(parts: list[Part | None]) -> tuple[FloatArray, FloatArray]:
    imported, exported = (np.array([part.first[name] if part else np.nan for part in parts]) for name in ("import_price", "export_price"))
    return imported, exported


def _decide(parts: list[Part | None], window: Window, memory: PlanMemory) -> dict[str, list[Any]]:
    told = tuple(part.plan_id if part else None for part in parts)
    key = ("decisions", window.site.name, window.numbers, window.timeline.start, told)
    return memory.recall(key, lambda: decisions(parts, window.timeline, window.site, window.numbers))


def _draw_ghosts(connection: Connection, window: Window, followed: Followed, seen: Seen) -> Document:
    expected = read_expected(connection, window)
    without = trace_without_luna(window, seen, expected)
    alone = np.full(window.timeline.count, np.nan)
    if without is not None:
        alone[without[0] : without[0] + without[1].soc.size] = without[1].soc
    midnight = followed.midnight
    parts = [midnight.part_at(start) if midnight else None for start in window.timeline]
    return {
        "without_luna": {"soc": alone, "next_day": compare_next_day(window, seen, without, energy_value=_value_of(followed, window))},
        "midnight": {
            "plan_id": midnight.reply["plan_id"] if midnight else None,
            "issued_at": midnight.issued_at if midnight else None,
            "soc": mean_soc(parts, window.site),
        },
        "forecast_then": expected,
    }


def _value_of(followed: Followed, window: Window) -> float | None:
    part = followed.parts[window.past] if window.past < len(followed.parts) else None
    value: float | None = part.first["reason"].get("energy_value") if part else None
    return value
