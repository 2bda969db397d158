"""Two faults at once, at random, in every week of a season or a year: nothing wrong is trusted,
nothing right is refused.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from math import fsum
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.energy.account_period import AccountPeriod
from luna.house.account import describe_account
from luna.platform.database import sites
from tests.support.metering.expected_readings import (
    SITE,
    Happening,
    find_contradictions,
    hear,
    take_in,
)
from tests.support.metering.faults import FAULTS, Fault
from tests.support.metering.house import House, live

FIRST = date(2023, 9, 4)
WEEK = 7
# A pair begins on the third or fourth day of a week; none begins in the last one.
BEGINS = 2
PAIRS_OF_YEAR = 51
SEASON_SEED = 11
# Half a watt-hour, and a thousandth of a cent.
LITTLE_KWH = 0.0005
LITTLE_MONEY = 0.00001


def test_in_a_season_of_all_faults_nothing_wrong_is_trusted_and_nothing_right_refused(
    connection: Connection, tmp_path: Path
) -> None:
    rng = np.random.default_rng(SEASON_SEED)
    faults = rng.permutation(np.array(FAULTS, dtype=object))
    pairs = zip(faults[::2], faults[1::2], strict=True)
    days = (len(faults) // 2 + 1) * WEEK
    assert (
        find_untruths(
            connection, tmp_path, days=days, seed=SEASON_SEED, happenings=place(pairs, rng)
        )
        == []
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", [11, 12, 23, 46])
def test_in_a_year_of_pairs_of_faults_nothing_wrong_is_trusted_and_nothing_right_refused(
    seed: int, connection: Connection, tmp_path: Path
) -> None:
    rng = np.random.default_rng(seed)
    pairs = (
        rng.choice(np.array(FAULTS, dtype=object), 2, replace=False) for _ in range(PAIRS_OF_YEAR)
    )
    days = (PAIRS_OF_YEAR + 1) * WEEK
    assert (
        find_untruths(connection, tmp_path, days=days, seed=seed, happenings=place(pairs, rng))
        == []
    )


def place(pairs: Iterable[Iterable[Fault]], rng: np.random.Generator) -> Iterator[Happening]:
    """Yield each pair of faults in a week of its own."""
    for week, pair in enumerate(pairs):
        for fault in pair:
            begins = BEGINS + int(rng.integers(0, 2))
            day = FIRST + timedelta(days=week * WEEK + begins)
            yield Happening(fault, fault.place(day, rng))


def find_untruths(
    connection: Connection, folder: Path, *, days: int, seed: int, happenings: Iterable[Happening]
) -> list[str]:
    """Return what is wrong and trusted, or right and refused, of so many days with faults."""
    house = live(FIRST, days, seed=seed)
    happened = list(happenings)
    take_in(connection, house, hear(house, happened), folder)
    return [
        *find_contradictions(connection, house, happened),
        *find_open_accounts(connection, house),
    ]


def find_open_accounts(connection: Connection, house: House) -> list[str]:
    """Return the months whose account does not close: sources, uses and what is unexplained, or the
    lines of the bill and its sum.
    """
    site = sites.load(connection, SITE)
    end = house.timeline.end
    months: list[str] = []
    period = AccountPeriod.of("month", FIRST)
    while period.first < end.date():
        account = describe_account(connection, site, period, now=end)
        supplied = fsum(flow.energy_kwh for flow in account.sources)
        used = fsum(flow.energy_kwh for flow in account.uses) + account.unexplained_kwh
        billed = fsum(line.cost for line in account.lines)
        if (
            abs(supplied - used) > LITTLE_KWH
            or abs(billed - (account.totals.energy_cost or 0.0)) > LITTLE_MONEY
        ):
            months.append(
                f"{period.first}: {supplied} kWh supplied, {used} kWh used, {billed} "
                f"billed of {account.totals.energy_cost}"
            )
        period = period.following()
    return months
