"""Every noun of the database against the real server."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, text

from luna.contracts import PlanReply, PolicyReply, ReplayReply
from luna.contracts.replay import DayCost
from luna.energy.errors import (
    FullError,
    InvalidInputError,
    LunaError,
    NotFoundError,
    UnavailableError,
)
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.row_fault import RowFault
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline
from luna.platform.database import (
    backups,
    copy,
    engine,
    forecasts,
    observations,
    plans,
    prices,
    quarantine,
    readings,
    recorded_span,
    scores,
    sites,
    training_runs,
    weather_carbon,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.quarantine import Refused
from luna.platform.database.schema.series import slot_observations
from tests.support.database.site import store_site
from tests.support.planning.plans import store_plan
from tests.support.suite.tables import each_row

pytestmark = pytest.mark.every_database

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = Timeline(START, SLOT, 96)
VERSION = "aurora_v1.0"
# A key that the sequence of stored sites, which goes on from test to test, never reaches.
NO_SITE = -1


@pytest.fixture
def home(connection: Connection) -> Site:
    site = parse_site({"name": "home", "timezone": "Europe/Berlin"})
    sites.save(connection, site)
    return site


def forecast(issued_at: datetime, level: float = 1.0, version: str = VERSION) -> Forecast:
    values = np.full(192, level)
    quantiles = Quantiles(
        values, values / 2, values / 2, values / 2, values, values * 2, values * 2, values * 2
    )
    return Forecast(Timeline(issued_at, SLOT, 192), issued_at, version, quantiles, quantiles)


def plan(plan_id: str) -> PlanReply:
    slot = {
        "start": START,
        "mode": "hold",
        "reason": {"code": "hold", "text": "hold"},
        "batteries": {"battery": {"charge_kwh": 0, "discharge_kwh": 0, "soc_end": 0.5}},
    }
    flows = dict.fromkeys(
        (
            "load_kwh",
            "pv_kwh",
            "curtailed_kwh",
            "import_kwh",
            "export_kwh",
            "import_price",
            "export_price",
        ),
        0.1,
    )
    return PlanReply.model_validate(
        {
            "plan_id": plan_id,
            "status": "optimal",
            "gap": 0,
            "cost": {"total": 1.0, "import": 1.0, "export": 0.0, "wear": 0.0},
            "timing_ms": {},
            "slots": [slot | flows],
            "site": "home",
            "timezone": "UTC",
            "currency": "EUR",
            "slot_minutes": 15,
            "issued_at": START,
        }
    )


def test_a_site_comes_back_as_it_was_saved(connection: Connection, home: Site) -> None:
    assert sites.load(connection, "home") == home
    assert "home" in sites.names(connection)


def test_a_changed_site_is_a_new_version_and_the_same_one_is_not(
    connection: Connection, home: Site
) -> None:
    sites.save(connection, home)
    changed = home.model_copy(update={"currency": "SEK"})
    sites.save(connection, changed)
    sites.save(connection, changed)
    assert connection.scalars(
        text(
            "SELECT version FROM site_versions JOIN sites USING (site_key) WHERE name = "
            "'home' ORDER BY version"
        )
    ).all() == [1, 2]
    assert sites.load(connection, "home") == changed


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "call",
    [
        lambda connection: sites.load(connection, "nowhere"),
        lambda connection: observations.read(connection, "nowhere", DAY),
        lambda connection: forecasts.read_all(
            connection, "nowhere", version=VERSION, first=START, last=START
        ),
        lambda connection: training_runs.latest(connection, "nowhere", version=VERSION),
        lambda connection: plans.load(connection, "nowhere"),
    ],
    ids=["site", "observations", "forecasts", "training", "plan"],
)
def test_what_is_not_there_is_named(
    connection: Connection, call: Callable[[Connection], object]
) -> None:
    with pytest.raises(NotFoundError) as caught:
        call(connection)
    assert caught.value.value == "nowhere"
    assert caught.value.remedy


@pytest.mark.usefixtures("home")
def test_observations_come_back_with_their_gaps(connection: Connection) -> None:
    load = np.arange(96.0)
    load[[3, 50]] = np.nan
    written = Observations.of(DAY.starts, {"load_kwh": load, "soc": np.full(96, 0.5)})
    assert observations.upsert(connection, "home", written) == 96
    assert observations.upsert(connection, "home", written) == 0
    read = observations.read(connection, "home", DAY.window(0, 96))
    np.testing.assert_array_equal(read.load_kwh, load)
    assert np.isnan(read.pv_kwh).all()
    assert recorded_span.of_site(connection, "home") == (START, DAY.end)


@pytest.mark.usefixtures("home")
def test_what_is_unknown_never_erases_what_is_stored(connection: Connection) -> None:
    observations.upsert(connection, "home", Observations.of(DAY.starts, {"load_kwh": np.ones(96)}))
    newer = np.where(np.arange(96) < 2, 3.0, np.nan)
    assert (
        observations.upsert(
            connection, "home", Observations.of(DAY.starts, {"load_kwh": newer, "pv_kwh": newer})
        )
        == 2
    )
    assert observations.read(connection, "home", DAY).load_kwh.sum() == 94 + 6


@pytest.mark.usefixtures("home")
def test_a_site_without_observations_has_no_span(connection: Connection) -> None:
    assert recorded_span.of_site(connection, "home") is None
    assert np.isnan(observations.read(connection, "home", DAY).load_kwh).all()


@pytest.mark.usefixtures("home")
def test_observations_are_read_by_the_hour(connection: Connection) -> None:
    observations.upsert(connection, "home", Observations.of(DAY.starts, {"load_kwh": np.ones(96)}))
    assert (
        observations.read(
            connection, "home", Timeline(START, timedelta(hours=1), 24)
        ).load_kwh.tolist()
        == [4.0] * 24
    )


def published(connection: Connection, price: FloatArray, at: datetime) -> None:
    prices.upsert(connection, "NL", starts=DAY.starts, price=price, currency="EUR", published_at=at)


def test_prices_are_read_as_known_at_an_instant(connection: Connection) -> None:
    published(connection, np.full(96, 0.1), START - timedelta(hours=12))
    published(connection, np.full(96, 0.2), START)
    known = {
        at: prices.read(connection, "NL", DAY, known_at=at)[0]
        for at in (START - timedelta(days=1), START - timedelta(hours=1), START)
    }
    np.testing.assert_array_equal(list(known.values()), [np.nan, 0.1, 0.2])
    assert prices.read(connection, "NL", DAY)[0] == 0.2


def test_prices_in_another_currency_stand_beside_and_are_read_by_those_who_pay_in_it(
    connection: Connection,
) -> None:
    paid = {"EUR": 0.1, "SEK": 1.1}
    for currency, price in paid.items():
        prices.upsert(
            connection,
            "SE3",
            starts=DAY.starts,
            price=np.full(96, price),
            currency=currency,
            published_at=START,
        )
    tariff = {"import": {"kind": "spot", "market": "SE3"}}
    for currency, price in paid.items():
        site = store_site(connection, name=f"in {currency}", currency=currency, tariff=tariff)
        assert prices.read_tariff(connection, site, DAY)["SE3"].tolist() == [price] * 96
        assert (
            prices.read_revisions(connection, "SE3", DAY, currency=currency)[2].tolist()
            == [price] * 96
        )
    site = store_site(connection, name="in GBP", currency="GBP", tariff=tariff)
    assert np.isnan(prices.read_tariff(connection, site, DAY)["SE3"]).all()
    assert prices.find_foreign(connection, [prices.stored_series(site, "SE3")], DAY) == {
        ("SE3", "GBP"): ("EUR", "SEK")
    }
    assert set(sites.price_series(connection)) >= {("SE3", "EUR"), ("SE3", "SEK"), ("SE3", "GBP")}


def test_prices_may_be_published_one_by_one(connection: Connection) -> None:
    at = [START + timedelta(minutes=minute) for minute in range(96)]
    prices.upsert(
        connection, "NL", starts=DAY.starts, price=np.ones(96), currency="EUR", published_at=at
    )
    assert (
        np.isfinite(prices.read(connection, "NL", DAY, known_at=START + timedelta(minutes=9))).sum()
        == 10
    )


def test_a_price_that_is_no_number_is_refused(connection: Connection) -> None:
    with pytest.raises(InvalidInputError, match=r"price\[0\]"):
        published(connection, np.full(96, np.nan), START)


def test_a_forecast_is_read_as_it_was_known(connection: Connection, home: Site) -> None:
    issues = [
        forecast(START + timedelta(hours=hour), level=hour + 1.0, version=DEFAULT_VERSION)
        for hour in range(3)
    ]
    assert forecasts.upsert(connection, "home", issues).inserted == 3 * 192
    assert forecasts.upsert(connection, "home", issues).unchanged == 3 * 192
    timeline = Timeline(START + timedelta(hours=2), SLOT, 192)
    driving = forecasts.read_driving(
        connection, home, timeline, known_at=START + timedelta(minutes=90)
    )
    assert driving is not None
    assert (driving.forecast.issued_at, driving.forecast.timeline) == (
        START + timedelta(hours=1),
        timeline,
    )
    # Issued an hour before the window begins, it ends an hour, four slots, before the window does.
    np.testing.assert_array_equal(driving.forecast.load_kwh.p90, [4.0] * 188 + [np.nan] * 4)
    assert (
        forecasts.read_driving(connection, home, timeline, known_at=START - timedelta(minutes=1))
        is None
    )


@pytest.mark.usefixtures("home")
def test_every_issue_of_a_window_comes_back_in_order(connection: Connection) -> None:
    issues = [forecast(START + timedelta(hours=hour), level=hour + 1.0) for hour in range(5)]
    forecasts.upsert(connection, "home", issues[::-1])
    read = forecasts.read_all(
        connection,
        "home",
        version=VERSION,
        first=START + timedelta(hours=1),
        last=START + timedelta(hours=3),
    )
    assert [issue.issued_at for issue in read] == [issue.issued_at for issue in issues[1:4]]
    assert read[0].timeline == issues[1].timeline
    np.testing.assert_array_equal(read[2].pv_kwh.expected, issues[3].pv_kwh.expected)
    assert (
        forecasts.read_all(connection, "home", version="seasonal_naive", first=START, last=START)
        == []
    )


def test_a_plan_comes_back_as_it_was_answered(connection: Connection) -> None:
    for _ in range(2):
        store_plan(connection, "planned here alone", plan("p1"), inputs_digest="d")
    assert plans.load(connection, "p1") == plan("p1")
    assert plans.latest(connection, "planned here alone", now=START) == plan("p1")


@pytest.mark.usefixtures("home")
def test_a_backtest_gets_no_training_that_knew_its_future(connection: Connection) -> None:
    runs = [
        training_runs.TrainingRun(
            f"run{day}",
            VERSION,
            START,
            START + timedelta(days=day),
            code_version="1",
            seed=0,
            train_seconds=1.5,
            metrics={"mae": 0.1},
        )
        for day in (10, 20)
    ]
    for run in runs:
        training_runs.save(connection, "home", run)
    assert training_runs.latest(connection, "home", version=VERSION) == runs[1]
    assert (
        training_runs.latest(connection, "home", version=VERSION, before=START + timedelta(days=15))
        == runs[0]
    )
    assert training_runs.latest(connection, "home", version=VERSION, before=START) is None


@pytest.mark.usefixtures("home")
def test_a_day_scored_again_takes_the_place_of_the_first(connection: Connection) -> None:
    for cost in (1.0, 2.0):
        days = [DayCost(day=date(2024, 1, 1), cost=cost)]
        figures = dict.fromkeys(
            ("import_kwh", "export_kwh", "cycles", "mode_changes_per_day", "terminal_value"), 1.0
        )
        policy = PolicyReply(cost=cost, score=None, violations=0, days=days, **figures)
        scores.upsert_daily(
            connection,
            "home",
            system_id="simulation",
            replay=ReplayReply(policies={"mpc": policy}, slots=96, currency="EUR", initial_soc={}),
        )
    assert scores.read_daily(connection, "home", system_id="simulation") == {
        "mpc": [DayCost(day=date(2024, 1, 1), cost=2.0)]
    }


def test_weather_is_read_as_known_at_an_instant(connection: Connection) -> None:
    issued = np.full(96, np.datetime64("2023-12-31T12:00", "us"))
    weather_carbon.upsert(
        connection,
        "weather",
        "home",
        DAY.starts,
        values={"ghi_w_m2": np.full(96, 100.0)},
        issued_at=issued,
    )
    weather_carbon.upsert(
        connection,
        "weather",
        "home",
        DAY.starts,
        values={"ghi_w_m2": np.full(96, 90.0)},
        issued_at=None,
    )
    # A measured value is known when its slot has ended: at 00:30 those of the first two.
    ghi = weather_carbon.read_weather(
        connection, "home", DAY, known_at=START + timedelta(minutes=30)
    )["ghi_w_m2"]
    assert ghi[:3].tolist() == [90.0, 90.0, 100.0]
    assert np.isnan(weather_carbon.read_carbon(connection, "home", DAY, known_at=START)).all()


@pytest.mark.usefixtures("home")
def test_readings_come_back_by_sensor(connection: Connection) -> None:
    keys = readings.register(connection, "home", {"meter": "kWh", "roof": None})
    assert readings.register(connection, "home", {"meter": None}) == {"meter": keys["meter"]}
    instants = DAY.starts.astype("datetime64[us]") + np.timedelta64(123_456, "us")
    assert (
        readings.upsert(
            connection, np.full(96, keys["meter"], dtype=np.int32), instants, np.arange(96.0)
        ).inserted
        == 96
    )
    read, value = readings.read(
        connection, "home", "meter", first=START, end=START + timedelta(hours=1)
    )
    assert read.tolist() == instants[:4].tolist()
    assert value.tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.usefixtures("home")
def test_readings_of_several_sensors_come_back_by_name_in_order(connection: Connection) -> None:
    keys = readings.register(connection, "home", {"meter": "kWh", "roof": None, "silent": None})
    # Two months apart, in two chunks: each holds a part of both.
    for start in (np.datetime64("2024-03-01", "us"), np.datetime64("2024-01-01", "us")):
        for name, value in (("roof", 1.0), ("meter", 2.0)):
            instants = start + np.arange(2) * np.timedelta64(1, "m")
            readings.upsert(
                connection, np.full(2, keys[name], dtype=np.int32), instants, np.full(2, value)
            )
    until = START + timedelta(days=90)
    each = readings.read_each(
        connection, "home", ["roof", "silent", "meter", "unheard"], first=START, end=until
    )
    assert {name: values.tolist() for name, (_, values) in each.items()} == {
        "roof": [1.0] * 4,
        "meter": [2.0] * 4,
    }
    for name, (instants, _) in each.items():
        assert (
            instants.tolist()
            == readings.read(connection, "home", name, first=START, end=until)[0].tolist()
        )


@pytest.mark.usefixtures("home")
def test_a_sensor_s_refused_readings_are_settled_apart_from_another_s(
    connection: Connection,
) -> None:
    def settle(meter: list[int], roof: list[int]) -> list[tuple[str, int]]:
        refused = {
            source: [Refused(line, RowFault("stuck"), {}) for line in lines]
            for source, lines in (("sensor meter", meter), ("sensor roof", roof))
        }
        quarantine.settle(connection, "home", refused, lines=(0, 10))
        return sorted((row.source, row.line) for row in quarantine.list_rows(connection, "home"))

    assert settle([1, 12], [2]) == [("sensor meter", 1), ("sensor meter", 12), ("sensor roof", 2)]
    # What lies beyond the lines stays; the same line of another sensor is another row.
    assert settle([2], []) == [("sensor meter", 2), ("sensor meter", 12)]
    assert settle([], [2]) == [("sensor meter", 12), ("sensor roof", 2)]
    released, _ = quarantine.list_rows(connection, "home")
    quarantine.resolve(
        connection, released.quarantine_id, "released", corrected=None, at=START, by="owner"
    )
    let_in = quarantine.list_let_in(
        connection, "home", kind="readings", sources=["sensor roof", "sensor meter"]
    )
    assert [row.quarantine_id for row in let_in] == [released.quarantine_id]


@pytest.mark.long
@pytest.mark.usefixtures("home")
def test_more_is_refused_of_a_bad_sensor_than_a_statement_has_parameters(
    connection: Connection,
) -> None:
    refused = {"sensor meter": [Refused(line, RowFault("stuck"), {}) for line in range(2**15 + 1)]}
    for _ in range(2):
        quarantine.settle(connection, "home", refused, lines=(0, 2**16))
    assert (
        connection.execute(
            text("SELECT count(*) FROM quarantine WHERE source = 'sensor meter'")
        ).scalar()
        == 2**15 + 1
    )


@pytest.mark.usefixtures("home")
def test_loading_a_source_again_frees_what_is_no_longer_refused(connection: Connection) -> None:
    for lines in ([2, 3], [3, 4]):
        quarantine.begin(connection)
        quarantine.add(
            connection,
            [
                (line, RowFault.of("no_number", series="load_kwh").text, '{"load_kwh": "ü\\t"}')
                for line in lines
            ],
        )
        quarantine.finish(connection, "home", kind="observations", source="digest")
    refused = quarantine.read(connection, "home")
    assert [row.line for row in refused] == [4, 3]
    assert refused[0].raw == {"load_kwh": "ü\t"}


@pytest.mark.parametrize(
    ("on_conflict", "kept"),
    [("keep", [1.0, 1.0]), ("replace", [2.0, np.nan]), ("complete", [2.0, 1.0])],
)
def test_an_existing_row_becomes_what_was_asked(
    connection: Connection, on_conflict: copy.OnConflict, kept: list[float]
) -> None:
    columns: copy.Columns = {
        "site_key": NO_SITE,
        "slot_start": DAY.starts[:2],
        "load_kwh": np.ones(2),
    }
    copy.upsert(connection, slot_observations, columns)
    copy.upsert(
        connection,
        slot_observations,
        {**columns, "load_kwh": np.array([2.0, np.nan])},
        on_conflict=on_conflict,
    )
    rows = connection.execute(
        text("SELECT load_kwh FROM slot_observations WHERE site_key = :key ORDER BY slot_start"),
        {"key": NO_SITE},
    ).scalars()
    np.testing.assert_array_equal([np.nan if value is None else value for value in rows], kept)


def test_no_rows_write_nothing(connection: Connection) -> None:
    assert (
        copy.upsert(
            connection, slot_observations, {"site_key": NO_SITE, "slot_start": DAY.starts[:0]}
        )
        == copy.Written()
    )


def test_a_failed_unit_of_work_leaves_nothing(database: Engine) -> None:
    def save_and_fail() -> None:
        with engine.unit_of_work(database) as connection:
            store_site(connection, name="half", timezone="UTC")
            raise LunaError("something else went wrong")

    with pytest.raises(LunaError, match="something else"):
        save_and_fail()
    with engine.unit_of_work(database) as connection:
        assert "half" not in sites.names(connection)


def test_a_lock_that_is_held_too_long_is_said_to_be_temporary(database: Engine) -> None:
    def wait() -> None:
        with engine.unit_of_work(database) as waiting:
            waiting.execute(text("SET LOCAL lock_timeout = '50ms'"))
            waiting.execute(text("LOCK TABLE sites"))

    with engine.unit_of_work(database) as holder:
        holder.execute(text("LOCK TABLE sites"))
        with pytest.raises(UnavailableError):
            wait()


@each_row(
    ("code", "kind", "words"),
    [
        ("53100", FullError, "disk is full.*Free some space where PostgreSQL"),
        ("53200", UnavailableError, "no memory left.*Free some memory"),
        ("53300", UnavailableError, "does not answer"),
        ("25006", UnavailableError, "read-only.*fail-over"),
    ],
    ids=["disk", "memory", "connections", "replica"],
)
def test_what_passes_is_said_to_pass(
    database: Engine, code: str, kind: type[UnavailableError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught, engine.unit_of_work(database) as connection:
        connection.execute(
            text(
                f"DO $$ BEGIN RAISE EXCEPTION 'as the test wants' USING ERRCODE = '{code}'; END $$"
            )
        )
    assert (
        caught.value.status,
        int(caught.value.headers["Retry-After"]) > 0,
        type(caught.value),
    ) == (503, True, kind)


def test_a_session_that_the_server_has_closed_meanwhile_is_replaced(database: Engine) -> None:
    own = engine.create(database.url.render_as_string(hide_password=False), pool_size=2)
    # Both of the pool's sessions, as after a restart.
    with unit_of_work(own) as first, unit_of_work(own) as second:
        sessions = [
            connection.scalar(text("SELECT pg_backend_pid()")) for connection in (first, second)
        ]
    with unit_of_work(database) as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 5000) FROM unnest(:sessions) AS closed (pid)"),
            {"sessions": sessions},
        )
    with unit_of_work(own) as first, unit_of_work(own) as second:
        replaced = [
            connection.scalar(text("SELECT pg_backend_pid()")) for connection in (first, second)
        ]
    own.dispose()
    assert not set(replaced) & set(sessions)


def test_a_server_whose_machine_is_gone_is_noticed_within_a_minute(database: Engine) -> None:
    with (
        database.connect() as connection,
        socket.socket(fileno=os.dup(connection.connection.dbapi_connection.fileno())) as wire,
    ):
        idle, every, times = (
            wire.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        # Nothing was asked of it; something was, and is not answered.
        assert idle + every * times <= 60
        assert 0 < wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 60_000


def test_the_server_gives_up_a_client_whose_machine_is_gone_within_a_minute(
    database: Engine,
) -> None:
    with database.connect() as connection:
        idle, every, times, unacknowledged_ms = (
            connection.execute(
                text("SELECT setting::int FROM pg_settings WHERE name = :name"),
                {"name": f"tcp_{name}"},
            ).scalar_one()
            for name in (
                "keepalives_idle",
                "keepalives_interval",
                "keepalives_count",
                "user_timeout",
            )
        )
    # It waits for nothing; it has just answered. What that machine had locked is free then.
    assert 0 < idle + every * times <= 60
    assert 0 < unacknowledged_ms <= 60_000


def test_a_database_that_is_away_is_named_with_a_remedy() -> None:
    pool = engine.create("postgresql+psycopg://luna@127.0.0.1:1/luna")
    with pytest.raises(UnavailableError, match="database_url"), engine.unit_of_work(pool):
        pass


def test_a_restore_point_is_flushed_at_once(database: Engine) -> None:
    with backups.freeze(database, "point") as frozen, engine.own_session(database) as connection:
        assert backups.written_position(connection) >= frozen.lsn
