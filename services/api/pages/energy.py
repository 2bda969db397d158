"""Page Energy: sources, uses and cost of the energy of a day, week, month or year."""

from typing import Annotated

from fastapi import Query, Request, Response

from luna.energy.account_period import AccountPeriod, PeriodUnit
from luna.energy.timeline import Day, parse_zone
from luna.house.account import describe_account, last_counted_day
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway
from services.api.pages.energy_view import EnergyView, write_csv
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PAGES, PageRoute, numbers_of, show, words_of
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)

PAGE = PAGES["energy"]

UnitQuery = Annotated[PeriodUnit, Query(description="how long the period is")]
DayQuery = Annotated[Day | None, Query(description="a local day of the period; usual: today")]


@router.page("GET", "/ui/sites/{site_id}/energy", "read")
def show_energy(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    *,
    period: UnitQuery = "month",
    day: DayQuery = None,
) -> Response:
    """Show energy and money of a period."""
    with unit_of_work(gateway.database) as connection:
        marks = gateway.read_marks(connection, site_id)
        site = sites.load(connection, site_id)
        today = last_counted_day(site, gateway.clock.now())
        chosen = AccountPeriod.of(period, day or today)
        reply = describe_account(connection, site, chosen, now=gateway.clock.now())
    view = EnergyView(
        reply=reply,
        site=site,
        period=chosen,
        today=today,
        numbers=numbers_of(request, site),
        words=words_of(request, PAGE),
    )
    return show(request, PAGE, site=site, marks=marks, view=view)


@router.page("GET", "/ui/sites/{site_id}/energy.csv", "read")
def save_energy(
    site_id: SitePath, gateway: CurrentGateway, *, period: UnitQuery = "month", day: DayQuery = None
) -> Response:
    """Hand out the parts of a period as CSV."""
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        chosen = AccountPeriod.of(period, day or last_counted_day(site, gateway.clock.now()))
        reply = describe_account(connection, site, chosen, now=gateway.clock.now())
    headers = {
        "Content-Disposition": f'attachment; filename="luna-energy-{period}-{chosen.first}.csv"'
    }
    return Response(
        write_csv(reply, parse_zone(site.timezone)),
        media_type="text/csv; charset=utf-8",
        headers=headers,
    )
