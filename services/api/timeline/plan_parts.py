"""Find the plan that drives each slot of a timeline, and read its slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from luna.energy.timeline import SLOT, local_midnight
from luna.platform.database import plan_slots, plans
from luna.platform.database.plan_slots import PlanSpan
from services.api.timeline.memory import PlanMemory
from services.api.timeline.window import Window

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PlanPart:
    """A plan's slots within one quarter-hour, and their total length in hours.

    A single slot where the plan's slots are longer.
    """

    plan_id: str
    issued_at: datetime
    slots: Sequence[dict[str, Any]]
    hours: float

    @property
    def first(self) -> dict[str, Any]:
        """The slot with the quarter-hour's mode, reason and prices."""
        return self.slots[0]

    @property
    def last(self) -> dict[str, Any]:
        """The slot with the state at the quarter-hour's end."""
        return self.slots[-1]


@dataclass(frozen=True, slots=True)
class WholePlan:
    """A whole plan: its reply, and the inputs shown in the chart."""

    reply: dict[str, Any]
    inputs: dict[str, Any]
    starts_at: datetime
    issued_at: datetime

    @property
    def step(self) -> timedelta:
        """The length of its slots."""
        return timedelta(minutes=self.reply["slot_minutes"])

    def part_at(self, instant: datetime) -> PlanPart | None:
        """Return the part for the quarter-hour from ``instant`` on, None outside the horizon."""
        first = (instant - self.starts_at) // self.step
        last = (instant + SLOT - timedelta(microseconds=1) - self.starts_at) // self.step
        slots = self.reply["slots"][first : last + 1] if first >= 0 else []
        if not slots:
            return None
        step_hours = self.step / HOUR
        hours = len(slots) * step_hours
        first_minutes = self.inputs["first_slot_minutes"] if first == 0 else None
        if first_minutes is not None:
            # The plan began within its first slot.
            hours = float(first_minutes) / 60 + (len(slots) - 1) * step_hours
        return PlanPart(self.reply["plan_id"], self.issued_at, slots, hours)


@dataclass(frozen=True, slots=True)
class Followed:
    """The plan parts that drive a timeline's slots, and two whole plans.

    ``latest`` is the plan in force, ``midnight`` that of the last local midnight.
    """

    parts: list[PlanPart | None]
    latest: WholePlan | None
    midnight: WholePlan | None


def read_followed(connection: Connection, window: Window, memory: PlanMemory) -> Followed:
    """Return the plan parts of every slot.

    A past slot has the last plan issued within ``plans.DRIVES_WITHIN`` of its start, later slots
    the plan in force.
    """
    timeline = window.timeline
    starts = list(timeline)
    issued = plan_slots.list_followed(
        connection,
        window.site.name,
        min(timeline.start, _midnight(window)),
        timeline.end,
        issued_by=window.now,
    )
    parts: list[PlanPart | None] = []
    drivers = [(_driving(issued, start), start) for start in starts[: window.past]]
    for plan, group in groupby(drivers, key=itemgetter(0)):
        parts += _read_parts(connection, plan, [start for _, start in group], memory)
    in_force = _find_in_force(issued, window.now)
    latest = _read_whole(connection, in_force, memory) if in_force else None
    parts += [latest.part_at(start) if latest else None for start in starts[window.past :]]
    midnight_span = _driving(issued, _midnight(window))
    midnight = _read_whole(connection, midnight_span, memory) if midnight_span else None
    return Followed(parts, latest, midnight)


def _find_in_force(issued: Sequence[PlanSpan], now: datetime) -> PlanSpan | None:
    # A newer plan that begins later must not hide the plan in force.
    for plan in reversed(issued):
        if plan.starts_at <= now < plan.ends_at:
            return plan
    return issued[-1] if issued else None


def _midnight(window: Window) -> datetime:
    return local_midnight(window.now.astimezone(window.numbers.zone).date(), window.numbers.zone)


def _driving(issued: Sequence[PlanSpan], start: datetime) -> PlanSpan | None:
    issued_by = start + plans.DRIVES_WITHIN
    for plan in reversed(issued):
        covers_start = plan.starts_at < start + SLOT and plan.ends_at > start
        if plan.issued_at <= issued_by and covers_start:
            return plan
    return None


def _read_parts(
    connection: Connection, plan: PlanSpan | None, starts: Sequence[datetime], memory: PlanMemory
) -> list[PlanPart | None]:
    if plan is None:
        return [None] * len(starts)
    first = max(starts[0], plan.starts_at)
    last = starts[-1]
    read_slots = partial(plan_slots.read_slots, connection, plan, first, last)
    minutes, slots = memory.recall((plan.plan_id, first, last), read_slots)
    step = timedelta(minutes=minutes)
    begin = plan.starts_at + (first - plan.starts_at) // step * step
    parts: list[PlanPart | None] = []
    for start in starts:
        place = max(0, (start - begin) // step)
        slot = slots[place : place + 1]
        part = PlanPart(plan.plan_id, plan.issued_at, slot, step / HOUR) if slot else None
        parts.append(part)
    return parts


def _read_whole(connection: Connection, plan: PlanSpan, memory: PlanMemory) -> WholePlan | None:
    read_document = partial(plan_slots.read_document, connection, plan.plan_id)
    document = memory.recall((plan.plan_id, "whole"), read_document)
    if document is None:
        return None
    reply, inputs = document
    return WholePlan(reply, inputs, plan.starts_at, plan.issued_at)
