"""What the demo adds to plan and replay before it becomes a report."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from luna.contracts import DemoLoadReply, DemoSiteReply, PlanReply, PlanRequest, Provenance
from luna.contracts.plan import OutlookMessage, StateMessage
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site, parse_site
from services.demo.pipeline import DemoRun, DemoWindow, commands, trace_without_luna
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.build import build_problem
from services.planner.reply.reply import answer

NOON = datetime(2023, 9, 14, 12, tzinfo=UTC)


@pytest.fixture
def site() -> Site:
    battery = {
        "capacity_kwh": 10,
        "charge_limit_kw": 4,
        "discharge_limit_kw": 4,
        "charge_efficiency": 0.9,
        "discharge_efficiency": 0.9,
    }
    return parse_site(
        {
            "name": "home",
            "timezone": "Europe/Amsterdam",
            "batteries": [battery],
            "pv": [{"peak_kw": 6}],
        }
    )


def plan(site: Site, *, load_kwh: list[float], pv_kwh: list[float], soc: float) -> PlanReply:
    slots = len(load_kwh)
    outlook = OutlookMessage(
        load_kwh=load_kwh,
        pv_kwh=pv_kwh,
        import_price=[0.1, 0.4] * (slots // 2),
        export_price=[0.05] * slots,
    )
    state = StateMessage.model_validate(
        {"batteries": {battery.name: {"soc": soc} for battery in site.batteries}}
    )
    request = PlanRequest(site=site, start=NOON, outlook=outlook, state=state)
    return answer(make_plan(build_problem(request), Solver()), request=request, issued_at=NOON)


def test_without_luna_the_inverter_stores_surplus_and_serves_the_house(site: Site) -> None:
    # Surplus of 0.5 kWh stores 0.45; a load of 0.9 kWh takes out 1.0.
    reply = plan(site, load_kwh=[0.0, 0.9], pv_kwh=[0.5, 0.0], soc=0.5)
    assert trace_without_luna(reply, site) == pytest.approx([0.545, 0.445])


def test_without_luna_a_full_battery_stays_full(site: Site) -> None:
    assert trace_without_luna(
        plan(site, load_kwh=[0.0, 0.0], pv_kwh=[0.5, 0.5], soc=1.0), site
    ) == pytest.approx([1.0, 1.0])


def test_without_a_battery_there_is_nothing_to_draw(site: Site) -> None:
    reply = plan(site, load_kwh=[0.1, 0.1], pv_kwh=[0.0, 0.0], soc=0.5)
    assert trace_without_luna(reply, site.model_copy(update={"batteries": []})) is None


def test_the_window_follows_the_sites_clock() -> None:
    window = DemoWindow(date(2023, 10, 28), date(2023, 10, 29), ZoneInfo("Europe/Amsterdam"))
    assert window.start == datetime(2023, 10, 27, 22, tzinfo=UTC)
    # The clock has gone back: 14:00 lies at 13:00 UTC, midnight at 23:00.
    assert window.plan_start.astimezone(UTC) == datetime(2023, 10, 29, 13, tzinfo=UTC)
    assert window.end == datetime(2023, 10, 29, 23, tzinfo=UTC)


@pytest.fixture
def demo(site: Site) -> DemoLoadReply:
    words = {
        name: {"en": "same", "de": "gleich"}
        for name in ("series", "source", "licence", "period", "changes", "quality")
    }
    provenance = Provenance.model_validate({**words, "sha256": "ab" * 32})
    home = DemoSiteReply(
        site=site, yearly_load_kwh=4000, yearly_pv_kwh=5700, provenance=[provenance]
    )
    return DemoLoadReply(
        sites=[home],
        price_provenance=provenance,
        test_first_day=date(2023, 9, 1),
        test_last_day=date(2023, 12, 9),
        rows_written=0,
    )


def test_the_window_begins_with_the_first_day_nobody_learned_from(demo: DemoLoadReply) -> None:
    assert DemoWindow.of(demo, 100) == DemoWindow(
        date(2023, 9, 1), date(2023, 12, 9), ZoneInfo("Europe/Amsterdam")
    )


def test_more_days_than_there_are_are_refused(demo: DemoLoadReply) -> None:
    with pytest.raises(InvalidInputError, match=r"--days: .*got 101.*100 at most"):
        DemoWindow.of(demo, 101)


def test_the_commands_behind_the_figures_run_where_the_data_are(demo: DemoLoadReply) -> None:
    window = DemoWindow.of(demo, 3)
    replay = "LUNA_DATA_FOLDER=var/demo luna replay --site home --from 2023-09-01 --to 2023-09-03"
    assert commands(DemoRun(demo, window, Path("var/demo"))) == ["make demo", replay]
    assert commands(DemoRun(demo, window)) == ["luna demo --on-servers --days 3"]
