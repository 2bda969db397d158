from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.fleet import PlanSitesRequest
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import plans
from luna.platform.database.plans import PlannedSlots
from services.planner.service.fleet import plan_sites
from tests.support.database.site import issue_half_a_kilowatt, plan_stored, store_site

START = datetime(2024, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
COLUMNS = ("load_kwh", "charge_kwh", "import_price")
BATTERY = {"capacity_kwh": 4, "charge_limit_kw": 2, "discharge_limit_kw": 2}


def read(
    connection: Connection, start: datetime, now: datetime, before: PlannedSlots | None = None
) -> PlannedSlots:
    return plans.read_latest(
        connection,
        "home",
        Timeline(start, SLOT, 192),
        columns=COLUMNS,
        issued=(start - DAY, now),
        before=before,
    )


def test_what_was_planned_is_read_again_only_where_another_plan_says_it(
    connection: Connection,
) -> None:
    store_site(
        connection,
        batteries=[BATTERY],
        tariff={
            "import": {"kind": "fixed", "price": 0.3},
            "export": {"kind": "fixed", "price": 0.1},
        },
    )
    issue_half_a_kilowatt(connection, "home", START)
    document = plan_stored(connection, "home", START).plan_id
    first = read(connection, START - 4 * SLOT, START)
    assert first.plan_ids == [None] * 4 + [document] * 188
    assert np.isnan(first.columns["load_kwh"]).tolist() == [True] * 4 + [False] * 188
    later = START + 3 * SLOT
    (packed,) = plan_sites(
        connection, PlanSitesRequest(site_ids=["home"]), now=later
    ).plans.values()
    # What cannot be read but from what was read before.
    marked = replace(first, columns={name: values + 7.0 for name, values in first.columns.items()})
    anew = read(connection, START, later)
    again = read(connection, START, later, before=marked)
    assert anew.plan_ids == again.plan_ids == [document] * 3 + [packed] * 189
    kept = {name: (values - anew.columns[name]).tolist() for name, values in again.columns.items()}
    assert kept == dict.fromkeys(COLUMNS, [7.0] * 3 + [0.0] * 189)
