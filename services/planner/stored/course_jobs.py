"""Courses that load and PV of a stored site may take: Aurora's scenarios and the site's own past errors, as known at the start of a plan."""

from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import CoursesMessage, OutlookMessage
from luna.database import forecast_scenarios, observations, past_forecasts
from luna.outlook import Forecast
from luna.site import Site
from luna.timeline import SLOT, FloatArray, Timeline
from services.planner.knowledge import DAY, ForecastBook, Foresight
from services.planner.posing.courses import COURSE_DIGITS, Courses, blend
from services.planner.posing.past_errors import DAYS, NEAR, PastErrors


def read_courses(
    connection: Connection, site: Site, forecast: Forecast, outlook: OutlookMessage, *, start: datetime, errors: PastErrors
) -> CoursesMessage | None:
    """Return courses beside the outlook's expected one, each kind counting as much as the others; None where nothing is known of any.

    Args:
        connection: open.
        site: a stored one.
        forecast: what drives the plan; the courses are of the same version.
        outlook: holds the expected course.
        start: of the plan; nothing issued or measured later is read.
        errors: of the same version's forecasts.
    """
    expected = np.array(outlook.load_kwh), np.array(outlook.pv_kwh)
    timeline = Timeline(start, SLOT, expected[0].size)
    kinds = [*_read_scenarios(connection, site, forecast.version, timeline, expected=expected), *errors.courses(start, timeline, expected)]
    if not kinds:
        return None
    return describe_courses(blend(kinds))


def describe_courses(courses: Courses) -> CoursesMessage:
    """Return courses as a message, energies rounded."""
    load, pv = (np.round(paths, COURSE_DIGITS).tolist() for paths in (courses.load_kwh, courses.pv_kwh))
    return CoursesMessage(probability=courses.weight.tolist(), load_kwh=load, pv_kwh=pv)


def _read_scenarios(connection: Connection, site: Site, version: str, timeline: Timeline, *, expected: tuple[FloatArray, FloatArray]) -> list[Courses]:
    """Return the latest scenarios, unless too old to drive a plan; beyond their end the expected course goes on."""
    found = forecast_scenarios.read(connection, site.name, timeline, version=version, known_at=timeline.start)
    if found is None or found.issued_at <= timeline.start - NEAR:
        return []
    paths = zip((found.load_kwh, found.pv_kwh), expected, strict=True)
    return [Courses(found.probability, *(np.where(np.isfinite(path), path, base) for path, base in paths))]


def read_errors(connection: Connection, site: Site, version: str, start: datetime) -> PastErrors:
    """Return what a version's forecasts said on the days before ``start``, and what happened; nothing issued or measured later."""
    instants = [start - back * DAY for back in range(DAYS, 0, -1)]
    past = past_forecasts.read_past(connection, site.name, version=version, instants=instants)
    before = Timeline(start - DAYS * DAY, SLOT, DAYS * DAY // SLOT)
    seen = observations.read(connection, site.name, before)
    return PastErrors(ForecastBook(past), Foresight(before, seen.load_kwh, seen.pv_kwh))
