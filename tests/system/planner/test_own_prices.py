"""A tariff of kind ``series``: the site's own prices, from a file to plan, replay, question and
metric.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml
from sqlalchemy import Connection, Engine, text

from luna.contracts.forecast import IssueRequest
from luna.contracts.replay import ReplayRequest
from luna.contracts.variant import Variant, WhatIfRequest
from luna.energy.errors import InvalidInputError
from luna.energy.observations import Observations
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.house.what_if_questions import open_question, read_state
from luna.platform.database import observations, prices, recorded_span, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.embedded.supervisor import Addresses
from luna.platform.objects import FileObjects
from services.forecaster.forecast_issue import issue_forecasts
from services.ingest.loading import FileForm, LoadReport, load_file
from services.planner.service.inputs import read_prices
from services.planner.service.replay import replay_site
from services.planner.service.variant import replay_variant
from tests.support.command_line.call import Luna
from tests.support.database.site import store_site
from tests.support.gateway.server import serve

OWN = {"import": {"kind": "series"}, "export": {"kind": "series"}}
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
# Midnight in Berlin, in winter.
MIDNIGHT = datetime(2024, 1, 9, 23, tzinfo=UTC)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


def describe(name: str = "own", **changes: object) -> dict[str, object]:
    return {
        "name": name,
        "timezone": "Europe/Berlin",
        "batteries": [BATTERY],
        "pv": [{"peak_kw": 5}],
        "tariff": OWN,
    } | changes


def write(
    folder: Path,
    hours: int,
    *,
    first: datetime = MIDNIGHT,
    cents: float = 20.0,
    columns: str = "import_price,export_price",
) -> Path:
    """Return a file of hourly prices: import rises by a tenth of a cent an hour from ``cents`` on,
    export is a tenth of it.
    """
    path = folder / f"prices {first:%Y%m%d%H}.csv"
    rows = [(first + timedelta(hours=hour), (cents + hour / 10) / 100) for hour in range(hours)]
    lines = [
        ",".join(
            [
                start.isoformat(),
                *(f"{price / share:.6f}" for share in (1, 10)[: columns.count("price")]),
            ]
        )
        for start, price in rows
    ]
    path.write_text("\n".join([f"slot_start,{columns}", *lines]), encoding="utf-8")
    return path


def load(
    connection: Connection, path: Path, *, site: str = "own", received_at: datetime | None = None
) -> LoadReport:
    return load_file(connection, site, path, FileForm("prices", received_at=received_at))


@pytest.fixture
def site(connection: Connection) -> Site:
    stored = parse_site(describe())
    sites.save(connection, stored)
    return stored


def ahead(
    connection: Connection, site: Site, now: datetime, slots: int = 4
) -> tuple[list[float], datetime]:
    known = read_prices(connection, site, Timeline(now - 8 * DAY, SLOT, 8 * 96 + 192)).ahead(
        now, Timeline(now, SLOT, slots)
    )
    return known.import_price.round(6).tolist(), known.known_until


def test_an_hour_of_the_sites_own_prices_holds_for_its_four_quarters(
    connection: Connection, site: Site, tmp_path: Path
) -> None:
    load(connection, write(tmp_path, 24))
    known = read_prices(connection, site, Timeline(MIDNIGHT - DAY, SLOT, 192)).ahead(
        MIDNIGHT, Timeline(MIDNIGHT, SLOT, 8)
    )
    np.testing.assert_allclose(known.import_price, [0.2] * 4 + [0.201] * 4)
    np.testing.assert_allclose(known.export_price, [0.02] * 4 + [0.0201] * 4)
    assert known.known_until == MIDNIGHT + timedelta(hours=2)


def test_before_they_are_published_the_last_known_day_is_carried_on(
    connection: Connection, site: Site, tmp_path: Path
) -> None:
    load(connection, write(tmp_path, 48))
    # Of the second day nothing is known before 13:00 of the first, 12 hours and three quarters of
    # which have passed here.
    early = MIDNIGHT + timedelta(hours=12, minutes=45)
    late = MIDNIGHT + timedelta(hours=13)
    first, until = ahead(connection, site, early, slots=96)
    assert (first[-1], until) == (0.212, MIDNIGHT + DAY)
    # Then the second day's hour 12 is known: 20 + 36 / 10 cents.
    second, until = ahead(connection, site, late, slots=96)
    assert (second[-1], until) == (0.236, late + DAY)


def test_prices_that_come_before_they_are_usually_published_are_known_from_then_on(
    connection: Connection, site: Site, tmp_path: Path
) -> None:
    noon = MIDNIGHT + timedelta(hours=9, minutes=7)
    load(connection, write(tmp_path, 72), received_at=noon)
    # A plan made in the quarter-hour in which they came begins with it.
    assert ahead(connection, site, MIDNIGHT + timedelta(hours=9), slots=192)[
        1
    ] == MIDNIGHT + timedelta(hours=57)
    with pytest.raises(InvalidInputError, match="have no price") as caught:
        ahead(connection, site, MIDNIGHT - DAY)
    assert caught.value.field == "prices.import_price"


def test_a_price_that_changes_is_a_revision_and_the_past_stays_as_it_was_known(
    connection: Connection, site: Site, tmp_path: Path
) -> None:
    load(connection, write(tmp_path, 24), received_at=MIDNIGHT)
    revised = MIDNIGHT + timedelta(hours=6)
    load(connection, write(tmp_path, 24, cents=50), received_at=revised)
    assert ahead(connection, site, revised - SLOT)[0][0] == 0.205
    assert ahead(connection, site, revised)[0][0] == 0.506


def test_the_same_file_again_changes_nothing(
    connection: Connection, site: Site, tmp_path: Path
) -> None:
    def stored() -> list[object]:
        return [
            each.tolist()
            for each in prices.read_revisions(
                connection, "site:own:import_price", Timeline(MIDNIGHT, SLOT, 96)
            )
        ]

    path = write(tmp_path, 24)
    load(connection, path, received_at=MIDNIGHT)
    before = stored()
    report = load(connection, path, received_at=MIDNIGHT + 5 * DAY)
    assert (report.written.inserted, report.written.updated, stored()) == (0, 0, before)


def test_a_file_may_say_when_each_price_was_published(
    connection: Connection, site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "revisions.csv"
    rows = [
        f"{MIDNIGHT.isoformat()},0.2,{(MIDNIGHT - DAY).isoformat()}",
        f"{MIDNIGHT.isoformat()},0.4,{MIDNIGHT.isoformat()}",
    ]
    # An hour's step, so that the file has one.
    rows += [
        row.replace(
            MIDNIGHT.isoformat() + ",", (MIDNIGHT + timedelta(hours=1)).isoformat() + ",", 1
        )
        for row in rows
    ]
    path.write_text("\n".join(["slot_start,import_price,published_at", *rows]), encoding="utf-8")
    load(connection, path)
    grid = Timeline(MIDNIGHT, SLOT, 1)
    assert prices.read(
        connection, "site:own:import_price", grid, known_at=MIDNIGHT - SLOT
    ).tolist() == [0.2]
    assert prices.read(connection, "site:own:import_price", grid).tolist() == [0.4]
    # What the site paid is what was published last.
    assert observations.read_prices(connection, "own", grid)[0].tolist() == [0.4]


def test_prices_of_days_to_come_are_no_readings_of_the_future(
    connection: Connection, site: Site, tmp_path: Path
) -> None:
    measured = Observations.of(
        Timeline(MIDNIGHT - DAY, SLOT, 96).starts, {"load_kwh": np.full(96, 0.1)}
    )
    observations.upsert(connection, "own", measured)
    load(connection, write(tmp_path, 48))
    assert recorded_span.of_site(connection, "own") == (MIDNIGHT - DAY, MIDNIGHT)
    issued = issue_forecasts(
        connection,
        IssueRequest(site_id="own", at=MIDNIGHT),
        objects=FileObjects(tmp_path),
        now=MIDNIGHT,
    )
    assert "future_reading" not in issued.batch.reasons[0]


def test_what_is_earned_may_be_loaded_alone(connection: Connection, tmp_path: Path) -> None:
    site = parse_site(
        describe(tariff={"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "series"}})
    )
    sites.save(connection, site)
    path = tmp_path / "export.csv"
    path.write_text(
        "\n".join(
            [
                "slot_start,export_price",
                *(
                    f"{(MIDNIGHT + timedelta(hours=hour)).isoformat()},0.0{hour % 10}"
                    for hour in range(24)
                ),
            ]
        )
    )
    assert load(connection, path).notes == []
    known = read_prices(connection, site, Timeline(MIDNIGHT - DAY, SLOT, 192)).ahead(
        MIDNIGHT, Timeline(MIDNIGHT, SLOT, 8)
    )
    assert (known.import_price.tolist(), known.export_price.tolist()) == (
        [0.3] * 8,
        [0.0] * 4 + [0.01] * 4,
    )


def test_two_sites_keep_their_prices_apart(
    connection: Connection, site: Site, tmp_path: Path
) -> None:
    other = parse_site(describe("other"))
    sites.save(connection, other)
    load(connection, write(tmp_path, 24))
    load(connection, write(tmp_path, 24, cents=90), site="other")
    assert [ahead(connection, each, MIDNIGHT)[0][0] for each in (site, other)] == [0.2, 0.9]


@pytest.mark.parametrize(
    ("tariff", "told"),
    [(OWN, 0), ({"import": {"kind": "fixed", "price": 0.3}}, 1)],
    ids=["used", "unused"],
)
def test_who_loads_prices_that_no_plan_uses_is_told_so(
    connection: Connection, tmp_path: Path, tariff: dict[str, object], told: int
) -> None:
    sites.save(connection, parse_site(describe(tariff=tariff)))
    notes = load(connection, write(tmp_path, 24)).notes
    assert len([note for note in notes if "kind: series" in note]) == told


def test_a_replay_and_a_question_say_what_is_paid_where_no_tariff_is_named_and_prices_stay_unused(
    connection: Connection, tmp_path: Path
) -> None:
    store_site(connection, name="own", batteries=[BATTERY])
    grid = Timeline(MIDNIGHT - DAY, SLOT, 3 * 96)
    observations.upsert(
        connection,
        "own",
        Observations.of(
            grid.starts, {"load_kwh": np.full(grid.count, 0.1), "pv_kwh": np.zeros(grid.count)}
        ),
    )
    load(connection, write(tmp_path, 24))
    days = {
        "from_day": MIDNIGHT.astimezone(BERLIN).date(),
        "to_day": MIDNIGHT.astimezone(BERLIN).date(),
    }
    replayed = replay_site(
        connection, ReplayRequest(site_id="own", policies=["idle", "self_consumption"], **days)
    )
    question = WhatIfRequest(
        site_id="own",
        variants=[Variant(name="none", site={"batteries": []})],
        policy="self_consumption",
        **days,
    )
    for each in (asked := open_question(connection, question, now=MIDNIGHT)):
        replay_variant(connection, each)
    answered = read_state(connection, asked[0].what_if_id).reply
    assert answered is not None
    for notes in (replayed.notes, answered.notes):
        assert [note.code for note in notes] == ["tariff_default", "prices_unused"]


@pytest.fixture
def priced_home(luna_on_servers: Luna, database: Engine, tmp_path: Path) -> Iterator[Luna]:
    """A stored site of sixteen days, with own prices from the command line."""
    file = tmp_path / "site.yaml"
    file.write_text(
        yaml.safe_dump(describe("priced home", location={"latitude": 52.5, "longitude": 13.4})),
        encoding="utf-8",
    )
    assert luna_on_servers("site", "add", "--file", str(file)).code == 0
    grid = Timeline(MIDNIGHT - 14 * DAY, SLOT, 16 * 96)
    sun = np.maximum(np.sin((np.arange(grid.count) % 96 - 32) * np.pi / 32), 0) / 2
    with unit_of_work(database) as connection:
        observations.upsert(
            connection,
            "priced home",
            Observations.of(grid.starts, {"load_kwh": np.full(grid.count, 0.1), "pv_kwh": sun}),
        )
    path = write(tmp_path, 18 * 24, first=MIDNIGHT - 15 * DAY)
    said = luna_on_servers(
        "data", "load", str(path), "--site", "priced home", "--kind", "prices", "--json"
    )
    assert said.code == 0, said.err
    yield luna_on_servers
    with unit_of_work(database) as connection:
        connection.execute(sites_table.delete().where(sites_table.c.name == "priced home"))
        connection.execute(text("DELETE FROM market_prices WHERE market LIKE 'site:priced home:%'"))


def test_plan_replay_and_questions_pay_the_sites_own_prices(
    priced_home: Luna, database_url: str, redis_url: str
) -> None:
    asked = ("--site", "priced home", "--json")
    plan = priced_home("plan", "--start", MIDNIGHT.isoformat(), *asked)
    assert plan.code == 0, plan.err
    # The file begins fifteen days earlier: 20 + 360 / 10 cents.
    assert [slot["import_price"] for slot in plan.document["slots"][::4]][:2] == [0.56, 0.561]
    assert plan.document["prices_known_until"] == (MIDNIGHT + DAY).isoformat().replace(
        "+00:00", "Z"
    )
    replay = priced_home(
        "replay",
        "--from",
        "2024-01-10",
        "--to",
        "2024-01-10",
        "--policies",
        "idle,self_consumption",
        *asked,
    )
    assert replay.code == 0, replay.err
    variant = 'one price: tariff.import={"kind": "fixed", "price": 0.1}'
    whatif = priced_home(
        "what-if",
        "--from",
        "2024-01-10",
        "--to",
        "2024-01-10",
        "--variant",
        variant,
        "--policy",
        "self_consumption",
        *asked,
    )
    assert whatif.code == 0, whatif.err
    other = priced_home(
        "what-if", "--plan", plan.document["plan_id"], "--variant", variant, "--json"
    )
    assert (other.code, other.err) == (0, "")
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as api:
        lines = api.get("/metrics").text.splitlines()
    until = next(
        line
        for line in lines
        if "prices_known_until_seconds{" in line and "site:priced home:import_price" in line
    )
    assert float(until.rsplit(" ", 1)[1]) == (MIDNIGHT + 3 * DAY).timestamp()
