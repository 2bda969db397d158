"""Which plan says what of each slot of a timeline."""

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
    """What a plan says of one quarter-hour: its slots there, of which only the first counts where it is the longer, and their length together."""

    plan_id: str
    issued_at: datetime
    slots: Sequence[dict[str, Any]]
    hours: float

    @property
    def first(self) -> dict[str, Any]:
        """What stands for the quarter-hour where nothing can be added up: mode and reason."""
        return self.slots[0]

    @property
    def last(self) -> dict[str, Any]:
        """What it ends with."""
        return self.slots[-1]


@dataclass(frozen=True, slots=True)
class WholePlan:
    """A plan that was read as a whole, and what of its request is shown."""

    reply: dict[str, Any]
    inputs: dict[str, Any]
    starts_at: datetime
    issued_at: datetime

    @property
    def step(self) -> timedelta:
        """The length of its slots."""
        return timedelta(minutes=self.reply["slot_minutes"])

    def part_at(self, instant: datetime) -> PlanPart | None:
        """Return what it says of the quarter-hour that begins at ``instant``, None where it does not reach."""
        first = (instant - self.starts_at) // self.step
        last = (instant + SLOT - timedelta(microseconds=1) - self.starts_at) // self.step
        slots = self.reply["slots"][first : last + 1] if first >= 0 else []
        begun = self.inputs["first_slot_minutes"] if first == 0 else None
        hours = len(slots) * (self.step / HOUR) if begun is None else float(begun) / 60 + (len(slots) - 1) * (self.step / HOUR)
        return PlanPart(self.reply["plan_id"], self.issued_at, slots, hours) if slots else None


@dataclass(frozen=True, slots=True)
class Followed:
    """The plans of a timeline: for each slot what the plan says that drove it, or drives it; the latest plan, and that of the last midnight."""

    parts: list[PlanPart | None]
    latest: WholePlan | None
    midnight: WholePlan | None


def read_followed(connection: Connection, window: Window, memory: PlanMemory) -> Followed:
    """Return what plans say of every slot: of past ones the plan that was the last by the middle of the slot, of the others the latest."""
    timeline = window.timeline
    issued = plan_slots.list_followed(connection, window.site.name, min(timeline.start, _midnight(window)), timeline.end, issued_by=window.now)
    past: list[PlanPart | None] = []
    for plan, slots in groupby([(_driving(issued, start), start) for start in list(timeline)[: window.past]], key=lambda each: each[0]):
        past += _read_parts(connection, plan, [start for _, start in slots], memory)
    # One of an hour ahead must not hide the one that holds now.
    holding = next((plan for plan in reversed(issued) if plan.starts_at <= window.now < plan.ends_at), issued[-1] if issued else None)
    latest = _read_whole(connection, holding, memory) if holding else None
    ahead = [latest.part_at(start) if latest else None for start in list(timeline)[window.past :]]
    midnight = _driving(issued, _midnight(window))
    return Followed(past + ahead, latest, _read_whole(connection, midnight, memory) if midnight else None)


def _midnight(window: Window) -> datetime:
    return local_midnight(window.now.astimezone(window.numbers.zone).date(), window.numbers.zone)


def _driving(issued: Sequence[PlanSpan], start: datetime) -> PlanSpan | None:
    by = start + plans.DRIVES_WITHIN
    return next((plan for plan in reversed(issued) if plan.issued_at <= by and plan.starts_at < start + SLOT and plan.ends_at > start), None)


def _read_parts(connection: Connection, plan: PlanSpan | None, starts: Sequence[datetime], memory: PlanMemory) -> list[PlanPart | None]:
    if plan is None:
        return [None] * len(starts)
    first, last = max(starts[0], plan.starts_at), starts[-1]
    minutes, slots = memory.recall((plan.plan_id, first, last), lambda: plan_slots.read_slots(connection, plan, first, last))
    step = timedelta(minutes=minutes)
    begin = plan.starts_at + (first - plan.starts_at) // step * step
    following = [slots[max(0, (start - begin) // step) :][:1] for start in starts]
    return [PlanPart(plan.plan_id, plan.issued_at, each, step / HOUR) if each else None for each in following]


def _read_whole(connection: Connection, plan: PlanSpan, memory: PlanMemory) -> WholePlan | None:
    document = memory.recall((plan.plan_id, "whole"), lambda: plan_slots.read_document(connection, plan.plan_id))
    return None if document is None else WholePlan(*document, plan.starts_at, plan.issued_at)
