"""``luna energy``: what a period's energy was and cost, as text and as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from luna.energy.account_period import AccountPeriod
from luna.energy.timeline import parse_day
from luna.house.account import describe_account
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.words import Numbers
from tests.support.command_line.call import Luna
from tests.support.database.databases import remove_site
from tests.support.pages.home_with_account import (
    ZONE,
    describe_home_with_account,
    store_home_with_account,
)

SITE = ("--site", "accounted")
MONTH = ("--period", "month", "--day", "2024-10-05")


@pytest.fixture
def home(luna_on_servers: Luna, database: Engine) -> Iterator[Luna]:
    """Commands beside a home with meter values, and one without."""
    with unit_of_work(database) as connection:
        store_home_with_account(connection, "accounted")
        sites.save(connection, describe_home_with_account("unrecorded"))
    yield luna_on_servers
    remove_site(database, "accounted")
    remove_site(database, "unrecorded")


def test_the_command_tells_what_the_account_holds(home: Luna, database: Engine) -> None:
    with unit_of_work(database) as connection:
        period = AccountPeriod.of("month", parse_day("2024-10-05", field="day"))
        account = describe_account(
            connection,
            sites.load(connection, "accounted"),
            period,
            now=datetime(2026, 1, 1, tzinfo=UTC),
        )
    told = home("energy", *SITE, *MONTH, "--json")
    assert told.code == 0, told.err
    assert told.document == account.model_dump(mode="json")
    shown = home("energy", *SITE, *MONTH).out
    numbers = Numbers("en", ZONE, "EUR")
    figures = [numbers.number(flow.energy_kwh, 2) for flow in (*account.sources, *account.uses)]
    # The shown lines add up to the shown total.
    costs = [*(line.cost for line in account.lines), account.demand_cost or 0.0]
    figures += numbers.amounts(costs, account.totals.cost)
    figures.append(numbers.money(account.totals.cost))
    assert [figure for figure in figures if figure not in shown] == []


@pytest.mark.parametrize(
    "words",
    [
        ("--period", "decade"),
        ("--day", "never"),
        ("--day", "2199-01-01"),
        ("--period", "week", "--site", "nowhere"),
    ],
    ids=" ".join,
)
def test_what_is_no_period_of_a_site_is_refused(home: Luna, words: tuple[str, ...]) -> None:
    refused = home("energy", *SITE, *words)
    assert refused.code == 2
    assert refused.problem["status"] in {404, 422}


def test_a_site_without_records_has_an_empty_account(home: Luna) -> None:
    told = home("energy", "--site", "unrecorded", *MONTH, "--json").document
    assert (told["sources"], told["uses"], told["totals"]["cost"]) == ([], [], None)
    assert home("energy", "--site", "unrecorded", *MONTH).code == 0
