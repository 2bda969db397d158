"""What is left of a problem from a later slot on."""

from dataclasses import fields, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from luna.economics import Blocks, list_months
from luna.outlook import Outlook
from luna.physics import SiteLimits
from luna.timeline import FloatArray
from services.planner.posing.courses import Courses
from services.planner.posing.manual import Manual
from services.planner.posing.problem import Problem

Part = TypeVar("Part", Outlook, SiteLimits, Manual)
# What counts batteries, not slots.
_BY_BATTERY = frozenset({"stored_kwh"})


def remain(problem: Problem, first: int, stored_kwh: FloatArray, imported_kwh: FloatArray) -> Problem:
    """Return the problem from slot ``first`` on; the horizon, its wish and its prices stay.

    Args:
        problem: with nothing to place.
        first: slot at which the rest begins.
        stored_kwh: what the batteries hold then, shape ``(batteries,)``.
        imported_kwh: what was bought before, shape ``(first,)``.
    """
    timeline = problem.outlook.timeline
    count = timeline.count
    values = {each.name: getattr(problem, each.name) for each in fields(problem) if each.name not in _BY_BATTERY}
    series = {name: value[..., first:] for name, value in values.items() if _has_slots(value, count)}
    courses = problem.courses
    parts: dict[str, Any] = {
        "outlook": replace(_cut(problem.outlook, first, count), timeline=timeline.window(first, count - first)),
        "limits": _cut(problem.limits, first, count),
        "manual": problem.manual and _cut(problem.manual, first, count),
        "courses": courses and Courses(courses.weight, courses.load_kwh[:, first:], courses.pv_kwh[:, first:]),
        "blocks": problem.blocks and _draw(problem, problem.blocks, first, imported_kwh),
        "billed": problem.billed and remain(problem.billed, first, stored_kwh, imported_kwh),
    }
    return replace(problem, **series | parts, stored_kwh=stored_kwh)


def _draw(problem: Problem, blocks: Blocks, first: int, imported_kwh: FloatArray) -> Blocks:
    """Return a tariff's blocks with what its month has drawn before ``first``."""
    months = list_months(problem.outlook.timeline, ZoneInfo(problem.site.timezone))
    number = next(place for place, slots in enumerate(months) if first in slots)
    before = months[number][months[number] < first]
    return replace(blocks, drawn_kwh=(blocks.drawn_kwh if number == 0 else 0.0) + float(imported_kwh[before].sum()))


def _cut(part: Part, first: int, count: int) -> Part:
    """Return the part with every series shortened; what holds for all slots stays as it is."""
    values = {each.name: getattr(part, each.name) for each in fields(part)}
    shorter: dict[str, Any] = {name: value[..., first:] if _has_slots(value, count) else value for name, value in values.items()}
    return type(part)(**shorter)


def _has_slots(value: object, count: int) -> bool:
    return isinstance(value, np.ndarray) and value.shape[-1:] == (count,)
