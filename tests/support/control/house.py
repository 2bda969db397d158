"""A house as it stands, of a test's own: nothing measured, planned as the test says."""

from datetime import datetime, timedelta

import numpy as np

from luna.contracts.plan import PlanReply
from luna.energy.site import SUBMETERED, Site
from luna.energy.timeline import SLOT, Timeline, local_midnight, parse_zone
from luna.house.findings import SiteFinding
from luna.house.now import HouseFigure, HouseNow, PlannedHouse
from luna.house.site_day import PLANNED, join_day

NOTHING = {name: np.full(96, np.nan) for name in (*PLANNED, "device_cost", *SUBMETERED)}


def house_of(
    site: Site,
    plan: PlanReply | None,
    now: datetime,
    *,
    findings: tuple[SiteFinding, ...] = (),
    planned_before: bool = True,
) -> HouseNow:
    """A site that is not armed, with a plan, half full, of whose days nothing is known."""
    zone = parse_zone(site.timezone)
    first = now.astimezone(zone).date()
    days = [
        Timeline(local_midnight(first + timedelta(days=days), zone), SLOT, 96) for days in (0, 1)
    ]
    today, tomorrow = (
        join_day(
            site,
            day,
            planned=NOTHING,
            observed=NOTHING,
            paid=np.full(96, np.nan),
            start_soc=0.5,
            now=now,
        )
        for day in days
    )
    planned = PlannedHouse(plan, today, tomorrow, soc=HouseFigure(0.5, "measured"))
    return HouseNow(
        site, now, planned, (), vacation=False, findings=findings, planned_before=planned_before
    )
