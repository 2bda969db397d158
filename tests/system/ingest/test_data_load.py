"""Files into the real database and out again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Connection

from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.row_fault import RowFault
from luna.energy.series_query import SeriesQuery, as_rows
from luna.energy.site import OWN
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import (
    observations,
    prices,
    quarantine,
    readings,
    recorded_span,
    weather_carbon,
)
from luna.platform.database.history import query_series
from luna.words.quarantine import say_row_fault
from services.ingest.loading import FileForm, LoadReport, load_file
from services.ingest.validation import ESTIMATED
from tests.support.database.changed_history import read_changes
from tests.support.database.site import store_site
from tests.support.suite.tables import each_row

pytestmark = pytest.mark.every_database

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = Timeline(START, SLOT, 96)
BERLIN = ZoneInfo("Europe/Berlin")
OBSERVATIONS = FileForm("observations")


@pytest.fixture(autouse=True)
def _home(connection: Connection) -> None:
    tariff = {"import": {"kind": "spot", "market": "NL"}}
    store_site(connection, pv=[{"peak_kw": 5}], tariff=tariff)


def csv(folder: Path, *rows: str, header: str = "slot_start,load_kwh,pv_kwh") -> Path:
    path = folder / "file.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def day(step_minutes: int = 15) -> list[str]:
    starts = [START + minute * timedelta(minutes=1) for minute in range(0, 1440, step_minutes)]
    return [f"{start.isoformat()},{slot % 7}.5,{slot % 2}" for slot, start in enumerate(starts)]


def counts(report: LoadReport) -> tuple[int, int, int, int]:
    return report.accepted, report.repaired, report.quarantined, report.duplicated


def test_a_file_comes_back_as_it_was(connection: Connection, tmp_path: Path) -> None:
    report = load_file(connection, "home", csv(tmp_path, *day()), OBSERVATIONS)
    assert counts(report) == (96, 0, 0, 0)
    assert (report.first, report.last, report.step) == (START, DAY.end, SLOT)
    assert observations.read(connection, "home", DAY).load_kwh.tolist() == [
        slot % 7 + 0.5 for slot in range(96)
    ]


def test_a_file_in_other_units_is_converted_and_it_is_said(
    connection: Connection, tmp_path: Path
) -> None:
    rows = [f"{row.split(',')[0]},{slot % 7}500,{slot % 2}" for slot, row in enumerate(day())]
    path = csv(tmp_path, *rows, header="slot_start,Verbrauch [Wh],pv")
    form = FileForm(
        "observations",
        renamed={"load_kwh": "Verbrauch [Wh]", "pv_kwh": "pv"},
        units={"pv_kwh": "kWh"},
    )
    report = load_file(connection, "home", path, form)
    assert report.notes == ["load_kwh was converted from Wh."]
    assert observations.read(connection, "home", DAY).load_kwh.tolist() == [
        slot % 7 + 0.5 for slot in range(96)
    ]


@pytest.mark.parametrize(
    ("header", "scale"),
    [("slot_start,pv_kwh", 1000.0), ("slot_start,soc", 10.0), ("slot_start,spot_price", 100.0)],
)
def test_a_file_in_a_wrong_unit_is_refused_as_a_whole(
    connection: Connection, tmp_path: Path, header: str, scale: float
) -> None:
    # Some of its values would pass: of a price per MWh every one below 40.
    kind = "prices" if "price" in header else "observations"
    rows = [f"{row.split(',')[0]},{slot / 95 * scale}" for slot, row in enumerate(day())]
    with pytest.raises(InvalidInputError, match="--unit") as caught:
        load_file(connection, "home", csv(tmp_path, *rows, header=header), FileForm(kind))
    assert caught.value.field == header.rsplit(",", maxsplit=1)[-1]


def test_watt_hours_are_noticed_where_the_site_names_no_limit(
    connection: Connection, tmp_path: Path
) -> None:
    # A hundred watt-hours in a quarter-hour are a home, a hundred kilowatt-hours a factory.
    rows = [f"{start.isoformat()},100" for start in DAY]
    with pytest.raises(InvalidInputError, match="import_limit_kw") as caught:
        load_file(
            connection, "home", csv(tmp_path, *rows, header="slot_start,load_kwh"), OBSERVATIONS
        )
    assert (caught.value.field, caught.value.value) == ("load_kwh", 100.0)


def test_day_and_time_in_two_columns_are_one_instant(
    connection: Connection, tmp_path: Path
) -> None:
    rows = [f"{start:%d.%m.%Y},{start:%H:%M},1" for start in DAY]
    form = FileForm("observations", zone=ZoneInfo("UTC"), renamed={"slot_start": "Datum+Uhrzeit"})
    assert counts(
        load_file(connection, "home", csv(tmp_path, *rows, header="Datum,Uhrzeit,load_kwh"), form)
    ) == (96, 0, 0, 0)


def test_a_file_without_a_row_to_use_is_refused_with_its_first_row(
    connection: Connection, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match="03/01/2024") as caught:
        load_file(
            connection,
            "home",
            csv(tmp_path, "03/01/2024 00:00,1,2", "03/01/2024 00:15,1,2"),
            OBSERVATIONS,
        )
    assert "line 2" in str(caught.value.value)


def test_loading_twice_changes_nothing(connection: Connection, tmp_path: Path) -> None:
    path = csv(tmp_path, *day(), "nonsense,1,1", *day()[:3])
    first, second = (load_file(connection, "home", path, OBSERVATIONS) for _ in range(2))
    assert counts(first) == counts(second) == (96, 0, 1, 3)
    assert (first.written.inserted, second.written.inserted, second.written.updated) == (96, 0, 0)
    assert len(quarantine.read(connection, "home")) == 1


def test_every_row_is_accounted_for_with_its_reason(connection: Connection, tmp_path: Path) -> None:
    wrong = [
        "2024-01-02T0,1,1",
        "2024-01-02T00:15:00Z,nan,1",
        "2024-01-02T00:30:00Z,-3,1",
        "2024-01-02T00:45:00Z,1,2",
        "2024-01-02T01:07:00Z,1,1",
    ]
    report = load_file(
        connection, "home", csv(tmp_path, *day(), *wrong, f"{START.isoformat()},9,9"), OBSERVATIONS
    )
    assert counts(report) == (99, 0, 3, 0)
    assert (report.rows, report.accepted_in_part) == (102, 3)
    assert {row.line: row.fault.code for row in quarantine.read(connection, "home")} == {
        98: "no_time",
        99: "not_finite",
        100: "below",
        101: "above_site",
        102: "off_grid",
        103: "contradicts_line",
    }
    assert report.reasons.total() == 6


def test_rows_in_any_order_are_sorted_and_it_is_said(
    connection: Connection, tmp_path: Path
) -> None:
    report = load_file(connection, "home", csv(tmp_path, *day()[::-1]), OBSERVATIONS)
    assert counts(report) == (96, 0, 0, 0)
    assert "sorted" in report.notes[0]
    assert observations.read(connection, "home", DAY).load_kwh[1] == 1.5


@pytest.mark.parametrize("step_minutes", [1, 5, 10, 15, 30, 60])
def test_energy_is_preserved_from_any_step(
    connection: Connection, tmp_path: Path, step_minutes: int
) -> None:
    rows = day(step_minutes)
    report = load_file(
        connection,
        "home",
        csv(tmp_path, *[row.rsplit(",", 1)[0] for row in rows], header="slot_start,load_kwh"),
        OBSERVATIONS,
    )
    assert report.step == timedelta(minutes=step_minutes)
    energy = sum(slot % 7 + 0.5 for slot in range(len(rows)))
    assert observations.read(connection, "home", DAY).load_kwh.sum() == pytest.approx(energy)


def test_a_refused_row_still_tells_the_step(connection: Connection, tmp_path: Path) -> None:
    rows = ["2024-01-01T00:00:00Z,1,0", "2024-01-01T00:15:00Z,x,0", "2024-01-01T00:30:00Z,3,0"]
    assert load_file(connection, "home", csv(tmp_path, *rows), OBSERVATIONS).step == SLOT
    np.testing.assert_array_equal(
        observations.read(connection, "home", DAY.window(0, 4)).load_kwh, [1.0, np.nan, 3.0, np.nan]
    )


def test_the_autumn_day_of_a_local_clock_has_a_hundred_slots(
    connection: Connection, tmp_path: Path
) -> None:
    slots = Timeline(datetime(2024, 10, 26, 22, tzinfo=UTC), SLOT, 100)
    rows = [
        f"{start.astimezone(BERLIN).replace(tzinfo=None).isoformat()},{slot},0"
        for slot, start in enumerate(slots)
    ]
    report = load_file(
        connection, "home", csv(tmp_path, *rows), FileForm("observations", zone=BERLIN)
    )
    assert counts(report) == (100, 8, 0, 0)
    assert observations.read(connection, "home", slots).load_kwh.tolist() == list(range(100))


def test_the_missing_hour_of_spring_is_quarantined(connection: Connection, tmp_path: Path) -> None:
    rows = [
        f"2024-03-31T0{hour}:{minute:02}:00,1,0" for hour in range(4) for minute in (0, 15, 30, 45)
    ]
    report = load_file(
        connection, "home", csv(tmp_path, *rows), FileForm("observations", zone=BERLIN)
    )
    assert counts(report) == (12, 0, 4, 0)
    assert list(report.reasons) == [say_row_fault(RowFault("skipped"))]


@pytest.mark.parametrize(
    ("header", "rows", "field"),
    [
        ("slot_start,load_kw", ["2024-01-01T00:00:00Z,1"], "load_kw"),
        ("load_kwh,pv_kwh", ["1,1"], "slot_start"),
        (
            "slot_start,load_kwh",
            [f"2024-01-01T00:{minute:02}:00Z,1" for minute in range(0, 60, 7)],
            "slot_start",
        ),
    ],
    ids=["unknown column", "missing column", "step of seven minutes"],
)
def test_a_file_that_cannot_be_used_stores_nothing(
    connection: Connection, tmp_path: Path, header: str, rows: list[str], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught, connection.begin_nested():
        load_file(connection, "home", csv(tmp_path, *rows, header=header), OBSERVATIONS)
    assert caught.value.field == field
    assert caught.value.remedy
    assert recorded_span.of_site(connection, "home") is None


def test_a_files_zone_is_the_sites_unless_told_and_the_reply_says_which(
    connection: Connection, tmp_path: Path
) -> None:
    # Two o'clock of the summer is midnight in UTC.
    path = csv(
        tmp_path, "2024-06-01T02:00:00,1,1", "2024-06-01T00:15:00Z,2,1", "2024-06-01T02:30:00,1,1"
    )
    report = load_file(connection, "home", path, OBSERVATIONS)
    assert (report.first, report.last) == (
        datetime(2024, 6, 1, 0, tzinfo=UTC),
        datetime(2024, 6, 1, 0, 45, tzinfo=UTC),
    )
    assert report.notes == [
        "Times without an offset were read in Europe/Berlin, the zone of the site."
    ]
    told = load_file(
        connection,
        "home",
        csv(tmp_path, "2024-06-01T02:00:00,1,1"),
        FileForm("observations", zone=ZoneInfo("UTC")),
    )
    assert (told.first, told.last) == (
        datetime(2024, 6, 1, 2, tzinfo=UTC),
        datetime(2024, 6, 1, 2, 15, tzinfo=UTC),
    )
    assert "Times without an offset were read in UTC." in told.notes
    assert load_file(connection, "home", csv(tmp_path, *day()), OBSERVATIONS).notes == []


def test_a_row_with_one_bad_value_keeps_its_good_ones(
    connection: Connection, tmp_path: Path
) -> None:
    header = "slot_start,load_kwh,pv_kwh,soc"
    rows = [f"{row},0.{slot % 10}" for slot, row in enumerate(day())]
    # No number; a roof of 5 kW gives 1.5625 kWh at most; both at once.
    rows[5], rows[7], rows[9] = (
        f"{rows[slot].partition(',')[0]},{cells}"
        for slot, cells in ((5, "abc,0.25,0.5"), (7, "0.5,9,0.5"), (9, "abc,9,0.5"))
    )
    path = csv(tmp_path, *rows, header=header)
    report = load_file(connection, "home", path, OBSERVATIONS)
    assert (*counts(report), report.accepted_in_part) == (96, 0, 0, 0, 3)
    stored = observations.read(connection, "home", DAY)
    assert [stored.load_kwh[5], stored.load_kwh[7], stored.load_kwh[9]] == pytest.approx(
        [np.nan, 0.5, np.nan], nan_ok=True
    )
    assert [stored.pv_kwh[5], stored.pv_kwh[7], stored.pv_kwh[9]] == pytest.approx(
        [0.25, np.nan, np.nan], nan_ok=True
    )
    assert stored.soc[[5, 7, 9]].tolist() == [0.5] * 3
    kept = {
        row.line: {*row.raw} & {"load_kwh", "pv_kwh", "soc"}
        for row in quarantine.read(connection, "home")
    }
    assert kept == {7: {"load_kwh"}, 9: {"pv_kwh"}, 11: {"load_kwh", "pv_kwh"}}
    again = load_file(connection, "home", path, OBSERVATIONS)
    assert (again.written.inserted, again.written.updated, again.accepted_in_part) == (0, 0, 3)
    assert len(quarantine.read(connection, "home")) == 3


def test_a_whole_row_counts_for_more_than_one_of_its_time_that_lost_a_value(
    connection: Connection, tmp_path: Path
) -> None:
    rows = day()
    load_file(
        connection,
        "home",
        csv(tmp_path, f"{rows[0].partition(',')[0]},0.7,abc", *rows),
        OBSERVATIONS,
    )
    assert observations.read(connection, "home", DAY).load_kwh[0] == 0.5
    assert [row.fault for row in quarantine.read(connection, "home")] == [
        RowFault.of("no_number", series="pv_kwh")
    ]


def test_a_column_without_a_single_good_value_is_refused_with_the_file(
    connection: Connection, tmp_path: Path
) -> None:
    rows = [f'{row.partition(",")[0]},"0,5",0.1' for row in day()]
    with pytest.raises(InvalidInputError) as caught:
        load_file(connection, "home", csv(tmp_path, *rows), OBSERVATIONS)
    assert (caught.value.field, caught.value.reason) == ("load_kwh", "no-value-usable")
    assert caught.value.parameters["why"]["code"] == "decimal_comma"


def test_a_price_beside_a_bad_one_and_weather_beside_a_bad_one_are_stored(
    connection: Connection, tmp_path: Path
) -> None:
    starts = [start.isoformat() for start in DAY]
    priced = [f"{start},{'x' if slot == 4 else 0.3},0.07" for slot, start in enumerate(starts)]
    load_file(
        connection,
        "home",
        csv(tmp_path, *priced, header="slot_start,import_price,export_price"),
        FileForm("prices", units={"import_price": "EUR/kWh"}),
    )
    imported, exported = observations.read_prices(connection, "home", DAY)
    assert (np.isnan(imported).nonzero()[0].tolist(), exported[4]) == ([4], 0.07)
    sky = [f"{start},{'x' if slot == 4 else 9},100" for slot, start in enumerate(starts)]
    load_file(
        connection,
        "home",
        csv(tmp_path, *sky, header="slot_start,temperature_c,ghi_w_m2"),
        FileForm("weather"),
    )
    weather = weather_carbon.read_weather(connection, "home", DAY, known_at=DAY.end)
    assert (np.isnan(weather["temperature_c"]).nonzero()[0].tolist(), weather["ghi_w_m2"][4]) == (
        [4],
        100.0,
    )


def test_an_unknown_site_is_named(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        load_file(connection, "nowhere", csv(tmp_path, *day()), OBSERVATIONS)


def test_market_prices_are_published_the_day_before(connection: Connection, tmp_path: Path) -> None:
    rows = [f"2024-01-02T{hour:02}:00:00+01:00,0.{hour:02}" for hour in range(24)]
    load_file(
        connection, "home", csv(tmp_path, *rows, header="slot_start,spot_price"), FileForm("prices")
    )
    local_day = Timeline(datetime(2024, 1, 1, 23, tzinfo=UTC), SLOT, 96)
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert np.isnan(
        prices.read(connection, "NL", local_day, known_at=noon - timedelta(minutes=1))
    ).all()
    np.testing.assert_allclose(
        prices.read(connection, "NL", local_day, known_at=noon), np.repeat(np.arange(24) / 100, 4)
    )


def test_market_prices_loaded_before_the_auction_are_known_since_then(
    connection: Connection, tmp_path: Path
) -> None:
    rows = [f"2024-01-02T{hour:02}:00:00+01:00,0.{hour:02}" for hour in range(24)]
    path = csv(tmp_path, *rows, header="slot_start,spot_price")
    morning = datetime(2024, 1, 1, 9, tzinfo=UTC)
    load_file(connection, "home", path, FileForm("prices", received_at=morning))
    local_day = Timeline(datetime(2024, 1, 1, 23, tzinfo=UTC), SLOT, 96)
    assert np.isnan(prices.read(connection, "NL", local_day, known_at=morning - SLOT)).all()
    assert np.isfinite(prices.read(connection, "NL", local_day, known_at=morning)).all()


def test_the_sites_own_prices_are_kept_beside_its_energies(
    connection: Connection, tmp_path: Path
) -> None:
    load_file(connection, "home", csv(tmp_path, *day()), OBSERVATIONS)
    told = {"import_price": "EUR/kWh", "export_price": "EUR/kWh"}
    load_file(
        connection,
        "home",
        csv(tmp_path, *day(60), header="slot_start,import_price,export_price"),
        FileForm("prices", units=told),
    )
    imported, exported = observations.read_prices(connection, "home", DAY)
    assert (imported[0], exported[4]) == (0.5, 1.0)
    assert observations.read(connection, "home", DAY).load_kwh[1] == 1.5


CHEAP_DAY = [4, 3, 3, 2, 2, 3, 4, 3, 1, 0, -1, -3, -5, -5, -4, -2, 0, 2, 5, 7, 8, 7, 6, 5]


@pytest.mark.parametrize(
    ("series", "recorded"), [("spot_price", "market_prices:NL"), ("import_price", "import_price")]
)
def test_prices_that_a_second_file_corrects_are_recorded_once(
    connection: Connection, tmp_path: Path, series: str, recorded: str
) -> None:
    times = [f"2024-01-01T0{hour}:00:00Z" for hour in range(3)]
    for price in ("0.1", "0.2", "0.2"):
        rows = [f"{times[0]},{price}", f"{times[1]},0.1", f"{times[2]},0.1"]
        path = csv(tmp_path, *rows, header=f"slot_start,{series}")
        load_file(connection, "home", path, FileForm("prices"))
    changes = read_changes(connection, "home", first=DAY.start, end=DAY.end)
    assert [
        (change.series, DAY.index_of(change.slot_start), change.before, change.after, change.rule)
        for change in changes
    ] == [(recorded, slot, 0.1, 0.2, "loaded from a file") for slot in range(4)]


@pytest.mark.parametrize("series", ["spot_price", "import_price"])
def test_a_cheap_day_per_mwh_is_refused_until_its_unit_is_said(
    connection: Connection, tmp_path: Path, series: str
) -> None:
    header = f"slot_start,{series}"
    market = "NL" if series == "spot_price" else prices.stored_name("home", f"{OWN}{series}")
    usual = [f"{start.isoformat()},0.{10 + slot % 20}" for slot, start in enumerate(DAY)]
    load_file(connection, "home", csv(tmp_path, *usual, header=header), FileForm("prices"))
    next_day = Timeline(DAY.end, timedelta(hours=1), 24)
    cheap = csv(
        tmp_path,
        *(f"{start.isoformat()},{price}" for start, price in zip(next_day, CHEAP_DAY, strict=True)),
        header=header,
    )
    # Half of them are 3 or more from zero; all but a hundredth of what is stored are at most 0.29,
    # so ten times as far.
    with pytest.raises(InvalidInputError) as caught, connection.begin_nested():
        load_file(connection, "home", cheap, FileForm("prices"))
    assert (caught.value.field, caught.value.reason) == (series, "unit-unlike-before")
    figures = {"share": "half", "reached": 3.0, "times": 10, "known": 0.29, "name": series}
    units = {"unit": "EUR/kWh", "suspected": "EUR/MWh or ct/kWh", "other": "EUR/MWh"}
    assert caught.value.parameters == figures | units
    assert "--unit" in str(caught.value.remedy)
    assert np.isnan(prices.read(connection, market, next_day)).all()
    load_file(connection, "home", cheap, FileForm("prices", units={series: "EUR/MWh"}))
    assert prices.read(connection, market, next_day).tolist() == [
        price / 1_000 for price in CHEAP_DAY
    ]
    load_file(connection, "home", cheap, FileForm("prices", units={series: "EUR/kWh"}))
    assert prices.read(connection, market, next_day).tolist() == CHEAP_DAY


def test_older_watt_hours_are_noticed_beside_the_weeks_after_them(
    connection: Connection, tmp_path: Path
) -> None:
    load_file(
        connection,
        "home",
        csv(
            tmp_path,
            *(f"{start.isoformat()},0.1{slot % 10}" for slot, start in enumerate(DAY)),
            header="slot_start,load_kwh",
        ),
        OBSERVATIONS,
    )
    before = Timeline(START - timedelta(days=1), timedelta(hours=1), 24)
    # An hour of 60 W, beside quarter-hours of half a kilowatt: less than any factory's, and more
    # than any home's.
    file = csv(
        tmp_path, *(f"{start.isoformat()},60" for start in before), header="slot_start,load_kwh"
    )
    with pytest.raises(InvalidInputError, match="--unit load_kwh=Wh") as refused:
        load_file(connection, "home", file, OBSERVATIONS)
    assert refused.value.reason == "unit-unlike-before"
    assert (refused.value.parameters["reached"], refused.value.parameters["known"]) == (60.0, 0.76)


def test_what_a_price_can_be_goes_by_the_sites_currency(
    connection: Connection, tmp_path: Path
) -> None:
    file = csv(
        tmp_path, *(f"{start.isoformat()},75" for start in DAY), header="slot_start,import_price"
    )
    store_site(connection, name="puszta", timezone="Europe/Budapest", currency="HUF")
    assert counts(load_file(connection, "puszta", file, FileForm("prices")))[::2] == (96, 0)
    with pytest.raises(InvalidInputError) as refused:
        load_file(connection, "home", file, FileForm("prices", units={"import_price": "EUR/kWh"}))
    above = RowFault.of("above", series="import_price", limit=40.0, hint="per_kwh")
    assert (refused.value.reason, refused.value.parameters["why"]) == (
        "rows-too-high",
        above.document(),
    )


def test_market_prices_need_a_tariff_with_a_market(connection: Connection, tmp_path: Path) -> None:
    store_site(connection, name="fixed", timezone="UTC")
    with pytest.raises(InvalidInputError, match="market"):
        load_file(
            connection,
            "fixed",
            csv(tmp_path, "2024-01-01T00:00:00Z,0.1", header="slot_start,spot_price"),
            FileForm("prices"),
        )


def test_weather_and_carbon_are_known_when_issued(connection: Connection, tmp_path: Path) -> None:
    rows = [
        f"{start.isoformat()},100,2023-12-31T12:00:00Z"
        for start in Timeline(START, timedelta(hours=1), 24)
    ]
    load_file(
        connection,
        "home",
        csv(tmp_path, *rows, header="slot_start,ghi_w_m2,issued_at"),
        FileForm("weather"),
    )
    load_file(
        connection,
        "home",
        csv(
            tmp_path, *[row.rsplit(",", 1)[0] for row in rows], header="slot_start,carbon_g_per_kwh"
        ),
        FileForm("carbon"),
    )
    assert (
        weather_carbon.read_weather(connection, "home", DAY, known_at=START)["ghi_w_m2"].tolist()
        == [100.0] * 96
    )
    assert np.isnan(weather_carbon.read_carbon(connection, "home", DAY, known_at=START)).all()
    assert (
        weather_carbon.read_carbon(connection, "home", DAY, known_at=DAY.end).tolist()
        == [100.0] * 96
    )


def test_readings_keep_their_instants(connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "readings.parquet"
    instants = [START + timedelta(seconds=7 * row) for row in range(100)]
    pl.DataFrame(
        {
            "instant": instants,
            "sensor": ["meter"] * 100,
            "value": [float(row) for row in range(100)],
            "unit": ["kWh"] * 100,
        }
    ).write_parquet(path)
    assert counts(load_file(connection, "home", path, FileForm("readings"))) == (100, 0, 0, 0)
    assert load_file(connection, "home", path, FileForm("readings")).written.unchanged == 100
    assert readings.read(connection, "home", "meter", first=START, end=DAY.end)[1].tolist() == list(
        range(100)
    )


def test_columns_of_another_name_are_loaded(connection: Connection, tmp_path: Path) -> None:
    form = FileForm("observations", renamed={"load_kwh": "verbrauch"}, ignored=frozenset({"note"}))
    report = load_file(
        connection,
        "home",
        csv(tmp_path, "2024-01-01T00:00:00Z,3,x", header="slot_start,verbrauch,note"),
        form,
    )
    assert report.accepted == 1


def test_rows_that_their_file_says_are_estimated_are_no_measurement(
    connection: Connection, tmp_path: Path
) -> None:
    rows = [
        "2024-01-01T00:00:00Z,3,1.0,0.0",
        "2024-01-01T00:15:00Z,4,1.0,1.0",
        "2024-01-01T00:30:00Z,5,1.0,",
        "2024-01-01T00:45:00Z,6,1.0,0.25",
    ]
    report = load_file(
        connection,
        "home",
        csv(tmp_path, *rows, header="slot_start,load_kwh,known,estimated"),
        OBSERVATIONS,
    )
    assert (report.accepted, report.reasons) == (2, {say_row_fault(ESTIMATED): 2})
    stored = as_rows(
        query_series(connection, "home", SeriesQuery("load_kwh", START, START + timedelta(hours=1)))
    )
    assert [row["value"] for row in stored] == [3, None, 5, None]


def test_gaps_are_none_and_never_zero(connection: Connection, tmp_path: Path) -> None:
    load_file(connection, "home", csv(tmp_path, *day()[:6]), OBSERVATIONS)
    raw = as_rows(
        query_series(connection, "home", SeriesQuery("load_kwh", START, START + timedelta(hours=2)))
    )
    assert [row["value"] for row in raw] == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, None, None]
    hourly = as_rows(
        query_series(
            connection, "home", SeriesQuery("load_kwh", START, START + timedelta(hours=2), "1h")
        )
    )
    assert hourly == [
        {"start": "2024-01-01T00:00:00Z", "value": 8.0, "known": 1.0, "estimated": 0.0},
        {"start": "2024-01-01T01:00:00Z", "value": None, "known": 0.5, "estimated": 0.0},
    ]


@each_row(
    ("options", "field"),
    [
        ({"series": "gas_kwh"}, "series"),
        ({"resolution": "7m"}, "resolution"),
        ({"aggregate": "median"}, "aggregate"),
        ({"end": START}, "to"),
    ],
)
def test_a_query_that_cannot_be_answered_names_its_field(
    options: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        SeriesQuery(**{"series": "load_kwh", "first": START, "end": DAY.end} | options)  # type: ignore[arg-type]
    assert caught.value.field == field
