"""What a problem's slots offer to its one battery: on the expected course, and on others beside it."""

from typing import Any

import numpy as np

from services.planner.posing.courses import Courses
from services.planner.posing.problem import Problem
from services.planner.value.segments import Direction, Segments, slot_segments


def problem_segments(problem: Problem, direction: Direction | None = None) -> Segments:
    """Return what the slots of the expected course offer; ``direction`` (default: the problem's) fixes the way of each."""
    outlook = problem.outlook
    return _offer(
        problem, load_kwh=outlook.load_kwh, pv_kwh=outlook.pv_kwh, import_limit_kwh=problem.import_limit_kwh, direction=direction or problem.direction
    )


def offer_courses(problem: Problem, courses: Courses, direction: Direction | None) -> Segments:
    """Return what the slots of all courses offer, the expected one first, ``(courses + 1, slots, 7)``.

    A peak that the expected course keeps does not bind where the load of another is beyond it whatever the battery does.
    """
    outlook, expected = problem.outlook, problem.import_limit_kwh
    limit = np.maximum(expected, np.minimum(courses.load_kwh - courses.pv_kwh, problem.carried_kwh))
    return _offer(
        problem,
        load_kwh=np.vstack([outlook.load_kwh, courses.load_kwh]),
        pv_kwh=np.vstack([outlook.pv_kwh, courses.pv_kwh]),
        import_limit_kwh=np.vstack([expected, limit]),
        direction=direction,
    )


def _offer(problem: Problem, **course: Any) -> Segments:
    outlook = problem.outlook
    return slot_segments(
        problem.site,
        prices=(outlook.import_price, outlook.export_price),
        hours=outlook.timeline.hours,
        export_limit_kwh=problem.export_limit_kwh,
        battery_limit_kwh=problem.battery_limit_kwh,
        inverters=problem.limits.inverters,
        **course,
    )
