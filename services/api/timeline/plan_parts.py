"""Find the plan that drives each slot of a timeline, and read its slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
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
    """A plan's slots within one quarter-hour (a single one where the plan's slots are longer), and
    their total length in hours.
    """

    plan_id: str
    issued_at: datetime
    slots: Sequence[dict[str, Any]]
    hours: float

    @property
    def first(self) -> dict[str, Any]:
        """The slot that gives the quarter-hour's mode, reason and prices, which cannot be
        summed.
        """
        return self.slots[0]

    @property
    def last(self) -> dict[str, Any]:
        """The slot that gives the state at the quarter-hour's end."""
        return self.slots[-1]


@dataclass(frozen=True, slots=True)
class WholePlan:
    """A whole plan: its reply, and the part of its request that the chart shows."""

    reply: dict[str, Any]
    inputs: dict[str, Any]
    starts_at: datetime
    issued_at: datetime

    @property
    def step(self) -> timedelta:
        """The length of its slots."""
        return timedelta(minutes=self.reply["slot_minutes"])

    def part_at(self, instant: datetime) -> PlanPart | None:
        """Return the part for the quarter-hour that begins at ``instant``, None outside the plan's
        horizon.
        """
        first = (instant - self.starts_at) // self.step
        last = (instant + SLOT - timedelta(microseconds=1) - self.starts_at) // self.step
        slots = self.reply["slots"][first : last + 1] if first >= 0 else []
        begun = self.inputs["first_slot_minutes"] if first == 0 else None
        hours = (
            len(slots) * (self.step / HOUR)
            if begun is None
            else float(begun) / 60 + (len(slots) - 1) * (self.step / HOUR)
        )
        return PlanPart(self.reply["plan_id"], self.issued_at, slots, hours) if slots else None


@dataclass(frozen=True, slots=True)
class Followed:
    """The plans of a timeline: per slot the part of the plan that drove or drives it.

    The plan in force; the plan of the last local midnight.
    """

    parts: list[PlanPart | None]
    latest: WholePlan | None
    midnight: WholePlan | None


def read_followed(connection: Connection, window: Window, memory: PlanMemory) -> Followed:
    """Return the plan parts of every slot: a past slot has the last plan issued within
    ``plans.DRIVES_WITHIN`` of its start, later slots the plan in force.
    """
    timeline = window.timeline
    issued = plan_slots.list_followed(
        connection,
        window.site.name,
        min(timeline.start, _midnight(window)),
        timeline.end,
        issued_by=window.now,
    )
    past: list[PlanPart | None] = []
    for plan, slots in groupby(
        [(_driving(issued, start), start) for start in list(timeline)[: window.past]],
        key=lambda each: each[0],
    ):
        past += _read_parts(connection, plan, [start for _, start in slots], memory)
    # A newer plan that begins later must not hide the plan in force.
    holding = next(
        (plan for plan in reversed(issued) if plan.starts_at <= window.now < plan.ends_at),
        issued[-1] if issued else None,
    )
    latest = _read_whole(connection, holding, memory) if holding else None
    ahead = [latest.part_at(start) if latest else None for start in list(timeline)[window.past :]]
    midnight = _driving(issued, _midnight(window))
    return Followed(
        past + ahead, latest, _read_whole(connection, midnight, memory) if midnight else None
    )


def _midnight(window: Window) -> datetime:
    return local_midnight(window.now.astimezone(window.numbers.zone).date(), window.numbers.zone)


def _driving(issued: Sequence[PlanSpan], start: datetime) -> PlanSpan | None:
    by = start + plans.DRIVES_WITHIN
    return next(
        (
            plan
            for plan in reversed(issued)
            if plan.issued_at <= by and plan.starts_at < start + SLOT and plan.ends_at > start
        ),
        None,
    )


def _read_parts(
    connection: Connection, plan: PlanSpan | None, starts: Sequence[datetime], memory: PlanMemory
) -> list[PlanPart | None]:
    if plan is None:
        return [None] * len(starts)
    first = max(starts[0], plan.starts_at)
    last = starts[-1]
    minutes, slots = memory.recall(
        (plan.plan_id, first, last), lambda: plan_slots.read_slots(connection, plan, first, last)
    )
    step = timedelta(minutes=minutes)
    begin = plan.starts_at + (first - plan.starts_at) // step * step
    following = [slots[max(0, (start - begin) // step) :][:1] for start in starts]
    return [
        PlanPart(plan.plan_id, plan.issued_at, each, step / HOUR) if each else None
        for each in following
    ]


def _read_whole(connection: Connection, plan: PlanSpan, memory: PlanMemory) -> WholePlan | None:
    document = memory.recall(
        (plan.plan_id, "whole"), lambda: plan_slots.read_document(connection, plan.plan_id)
    )
    return None if document is None else WholePlan(*document, plan.starts_at, plan.issued_at)
