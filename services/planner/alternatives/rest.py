"""What is left of a problem from a later slot on."""

from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from luna.outlook import Outlook
from luna.physics import SiteLimits
from luna.timeline import FloatArray
from services.planner.courses import Courses
from services.planner.manual import Manual
from services.planner.problem import Problem

Part = TypeVar("Part", Outlook, SiteLimits)


def remain(problem: Problem, first: int, stored_kwh: FloatArray) -> Problem:
    """Return the problem from slot ``first`` on with what the batteries hold then; the horizon, its wish and its prices stay."""
    count = problem.outlook.timeline.count
    timeline = problem.outlook.timeline.window(first, count - first)
    outlook = replace(_cut(problem.outlook, first, count), timeline=timeline)
    courses = problem.courses and Courses(problem.courses.weight, problem.courses.load_kwh[:, first:], problem.courses.pv_kwh[:, first:])
    billed = problem.billed and remain(problem.billed, first, stored_kwh)
    left = replace(problem, outlook=outlook, stored_kwh=stored_kwh, limits=_cut(problem.limits, first, count), courses=courses, billed=billed)
    return replace(left, manual=problem.manual and _cut_blocks(problem.manual, first))


def _cut_blocks(manual: Manual, first: int) -> Manual:
    """Return an owner's blocks from a later slot on."""
    values = {each.name: getattr(manual, each.name) for each in fields(manual)}
    shorter: dict[str, Any] = {name: value[..., first:] if isinstance(value, np.ndarray) else value for name, value in values.items()}
    return Manual(**shorter)


def _cut(part: Part, first: int, count: int) -> Part:
    """Return the part with every series shortened; what holds for all slots stays as it is."""
    values = {each.name: getattr(part, each.name) for each in fields(part)}
    shorter: dict[str, Any] = {name: value[first:] if np.shape(value) == (count,) else value for name, value in values.items()}
    return type(part)(**shorter)
