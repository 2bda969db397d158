"""Prices, costs, peaks and carbon by numbers derived by hand."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.economics.charges import Peak, PeakHistory, peak_cost
from luna.energy.economics.costs import break_even, carbon_g, slot_costs
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.economics.prices import extend_prices, price_slots, publication_times
from luna.energy.economics.typical_prices import expect_typical, read_typical_prices
from luna.energy.errors import InvalidInputError
from luna.energy.physics.mode import Curtailment
from luna.energy.site import PeakPrice, Tariff
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_day, local_days
from tests.support.planning.problems import describe_site
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2024, 2, 1, tzinfo=UTC)
NAN = float("nan")


def price_day(day: date, *bands: dict[str, object], zone: ZoneInfo = BERLIN) -> FloatArray:
    """Import price of one local day: 0.30, unless a band holds."""
    tariff = Tariff.model_validate(
        {"import": {"kind": "time_of_use", "default": 0.3, "bands": list(bands)}}
    )
    return price_slots(tariff, local_day(day, zone), zone=zone, spot={})[0]


def test_a_spot_price_carries_markup_then_tax_and_stays_unknown_where_it_is() -> None:
    tariff = Tariff.model_validate(
        {
            "import": {"kind": "spot", "market": "NL", "markup": 0.1, "vat": 0.2},
            "export": {"kind": "spot", "market": "NL", "markup": -0.01},
        }
    )
    imported, exported = price_slots(
        tariff, Timeline(START, SLOT, 3), zone=BERLIN, spot={"NL": np.array([0.05, -0.3, NAN])}
    )
    np.testing.assert_allclose(imported, [0.18, -0.24, NAN])
    np.testing.assert_allclose(exported, [0.04, -0.31, NAN])


def test_a_fixed_price_holds_in_every_slot_and_nothing_is_earned_unless_said() -> None:
    tariff = Tariff.model_validate({"import": {"kind": "fixed", "price": 0.32}})
    imported, exported = price_slots(tariff, Timeline(START, SLOT, 3), zone=BERLIN, spot={})
    assert (imported.tolist(), exported.tolist()) == ([0.32] * 3, [0.0] * 3)


def test_a_market_without_prices_is_named() -> None:
    tariff = Tariff.model_validate({"import": {"kind": "spot", "market": "NL"}})
    with pytest.raises(InvalidInputError) as caught:
        price_slots(tariff, Timeline(START, SLOT, 3), zone=BERLIN, spot={"DE": np.zeros(3)})
    assert (caught.value.field, caught.value.value) == ("tariff.market", "NL")
    assert caught.value.remedy


def test_a_band_holds_from_its_start_to_before_its_end() -> None:
    price = price_day(date(2024, 2, 1), {"from": "06:00", "to": "07:30", "price": 0.2})
    assert np.flatnonzero(price == 0.2).tolist() == list(range(24, 30))


@each_row(
    ("end", "slots"),
    [
        ("06:00", [*range(24), *range(88, 96)]),
        ("24:00", [*range(88, 96)]),
        ("00:00", [*range(88, 96)]),
        ("22:00", [*range(96)]),
    ],
    ids=["into the morning", "to 24:00", "to 00:00", "around the clock"],
)
def test_a_band_may_run_over_midnight(end: str, slots: list[int]) -> None:
    price = price_day(date(2024, 2, 1), {"from": "22:00", "to": end, "price": 0.2})
    assert np.flatnonzero(price == 0.2).tolist() == slots


def test_the_first_band_that_fits_decides() -> None:
    price = price_day(
        date(2024, 2, 1),
        {"from": "06:00", "to": "08:00", "price": 0.1},
        {"from": "07:00", "to": "09:00", "price": 0.2},
    )
    assert price[[23, 24, 28, 31, 32, 35, 36]].tolist() == [0.3, 0.1, 0.1, 0.1, 0.2, 0.2, 0.3]


@each_row(
    ("day", "price"),
    [
        (date(2024, 2, 2), 0.1),
        (date(2024, 2, 3), 0.2),
        (date(2024, 2, 4), 0.2),
        (date(2024, 2, 5), 0.1),
    ],
    ids=["Friday", "Saturday", "Sunday", "Monday"],
)
def test_bands_tell_weekdays_from_weekends_by_the_local_date(day: date, price: float) -> None:
    bands = (
        {"from": "00:00", "to": "24:00", "price": 0.1, "days": "weekday"},
        {"from": "00:00", "to": "24:00", "price": 0.2, "days": "weekend"},
    )
    assert set(price_day(day, *bands)) == {price}


def test_a_night_band_of_weekdays_ends_with_friday() -> None:
    # Each slot counts by its own date: Saturday's small hours are weekend.
    tariff = Tariff.model_validate(
        {
            "import": {
                "kind": "time_of_use",
                "default": 0.3,
                "bands": [{"from": "22:00", "to": "06:00", "price": 0.2, "days": "weekday"}],
            }
        }
    )
    price = price_slots(
        tariff, local_days(date(2024, 2, 2), date(2024, 2, 3), BERLIN), zone=BERLIN, spot={}
    )[0]
    assert np.flatnonzero(price == 0.2).tolist() == [*range(24), *range(88, 96)]


@pytest.mark.parametrize(
    ("day", "slots"),
    [(date(2024, 3, 31), 20), (date(2024, 6, 1), 24), (date(2024, 10, 27), 28)],
    ids=["spring", "summer", "autumn"],
)
def test_bands_follow_the_local_clock_through_its_changes(day: date, slots: int) -> None:
    # Six hours by the clock are five, six or seven in fact.
    price = price_day(day, {"from": "00:00", "to": "06:00", "price": 0.2})
    assert np.flatnonzero(price == 0.2).tolist() == list(range(slots))


@pytest.mark.parametrize("zone", ["Australia/Adelaide", "Asia/Kolkata", "America/St_Johns"])
def test_bands_follow_a_clock_that_is_half_an_hour_off(zone: str) -> None:
    price = price_day(
        date(2024, 6, 1), {"from": "10:00", "to": "15:30", "price": 0.2}, zone=ZoneInfo(zone)
    )
    assert np.flatnonzero(price == 0.2).tolist() == list(range(40, 62))


def test_a_slot_costs_what_is_bought_less_what_is_sold_and_the_wear() -> None:
    costs = slot_costs(
        import_kwh=np.array([2.0, 0.0]),
        export_kwh=np.array([0.0, 3.0]),
        throughput_kwh=np.array([[1.0, 0.0], [0.5, 2.0]]),
        import_price=np.array([0.3, 0.2]),
        export_price=np.array([0.1, 0.07]),
        wear_price=np.array([[0.01], [0.02]]),
    )
    assert costs.import_cost.tolist() == pytest.approx([0.6, 0])
    assert costs.export_cost.tolist() == pytest.approx([0, -0.21])
    # 1 · 0.01 + 0.5 · 0.02 and 0 + 2 · 0.02
    assert costs.wear_cost.tolist() == pytest.approx([0.02, 0.04])
    assert costs.total.tolist() == pytest.approx([0.62, -0.17])


def test_negative_prices_pay_for_buying_and_charge_for_selling() -> None:
    one = np.ones(1)
    costs = slot_costs(
        import_kwh=one,
        export_kwh=2 * one,
        throughput_kwh=np.zeros((1, 1)),
        import_price=-0.2 * one,
        export_price=-0.3 * one,
        wear_price=0.0,
    )
    assert (float(costs.import_cost[0]), float(costs.export_cost[0])) == pytest.approx((-0.2, 0.6))


def test_a_site_without_a_battery_has_no_wear() -> None:
    costs = slot_costs(
        import_kwh=np.ones(3),
        export_kwh=np.zeros(3),
        throughput_kwh=np.zeros((0, 3)),
        import_price=np.ones(3),
        export_price=np.ones(3),
        wear_price=0.01,
    )
    assert costs.total.tolist() == [1, 1, 1]


@each_row(
    ("import_price", "export_price", "rule", "house_first"),
    [
        (0.3, 0.1, Curtailment.NONE, Curtailment.NONE),
        (0.3, 0.0, Curtailment.NONE, Curtailment.NONE),
        (0.1, -0.02, Curtailment.EXPORT, Curtailment.EXPORT),
        (0.0, -0.1, Curtailment.EXPORT, Curtailment.EXPORT),
        (-0.1, -0.2, Curtailment.ALL, Curtailment.EXPORT),
        (-0.1, 0.07, Curtailment.NONE, Curtailment.NONE),
    ],
    ids=["plain", "worth nothing", "selling costs", "buying is free", "buying is paid", "both pay"],
)
def test_pv_is_held_back_where_it_costs(
    import_price: float, export_price: float, rule: Curtailment, house_first: Curtailment
) -> None:
    prices = np.array([import_price]), np.array([export_price])
    assert site_curtailment(describe_site({}), *prices).tolist() == [rule]
    assert site_curtailment(describe_site({"charge_from_grid": False}), *prices).tolist() == [
        house_first
    ]


def test_what_a_stored_kwh_must_be_worth_for_each_action() -> None:
    levels = break_even(
        np.array([0.3]),
        np.array([0.1]),
        charge_efficiency=0.9,
        discharge_efficiency=0.8,
        wear_price=0.01,
    )
    assert float(levels.buy[0]) == pytest.approx(0.31 / 0.9)
    assert float(levels.store[0]) == pytest.approx(0.11 / 0.9)
    assert float(levels.spill[0]) == pytest.approx(0.01 / 0.9)
    assert float(levels.serve[0]) == pytest.approx(0.29 * 0.8)
    assert float(levels.sell[0]) == pytest.approx(0.09 * 0.8)
    # emptied in the place of PV, it earns nothing and wears
    assert float(levels.displace[0]) == pytest.approx(-0.01 * 0.8)


def test_a_lossless_battery_breaks_even_at_the_price_itself() -> None:
    levels = break_even(
        np.array([0.3]), np.array([0.1]), charge_efficiency=1, discharge_efficiency=1, wear_price=0
    )
    assert [
        float(level[0])
        for level in (levels.buy, levels.store, levels.spill, levels.serve, levels.sell)
    ] == [0.3, 0.1, 0, 0.3, 0.1]


@each_row(
    ("highest", "minutes", "incurred_kw", "cost"),
    [
        # quarter-hours of 1, 2, 1.5, 0.5 kWh are 4, 8, 6, 2 kW; hours are 5 kW
        (1, 15, [], 5 * 8),
        (2, 15, [], 5 * (8 + 6) / 2),
        (1, 60, [], 5 * 5),
        (1, 30, [], 5 * 6),
        (1, 15, [6.0], 5 * (8 - 6)),
        (1, 15, [9.0], 0),
        (2, 15, [7.0], 5 * (8 + 7 - 7) / 2),
        (2, 15, [7.0, 7.5, 1.0], 5 * (8 + 7.5 - 7.5 - 7) / 2),
        (5, 15, [], 5 * (8 + 6 + 4 + 2) / 5),
    ],
    ids=[
        "one",
        "mean of two",
        "per hour",
        "per half-hour",
        "above the month's",
        "below the month's",
        "one known",
        "three known",
        "more than there are",
    ],
)
def test_a_peak_costs_what_it_adds_to_the_month(
    highest: int, minutes: int, incurred_kw: list[float], cost: float
) -> None:
    peak = PeakPrice.model_validate(
        {"price_per_kw_month": 5, "highest": highest, "interval_minutes": minutes}
    )
    added = peak_cost(
        np.array([1.0, 2.0, 1.5, 0.5]),
        Timeline(START, SLOT, 4),
        [Peak(peak, PeakHistory(tuple(incurred_kw)))],
        zone=BERLIN,
    )
    assert added == pytest.approx(cost)


def test_intervals_are_those_of_the_clock() -> None:
    # From a quarter past, three quarter-hours belong to the first hour and one to the next.
    peak = PeakPrice(price_per_kw_month=1, interval_minutes=60)
    assert peak_cost(
        np.array([1.0, 1.0, 1.0, 2.5]), Timeline(START + SLOT, SLOT, 4), [Peak(peak)], zone=BERLIN
    ) == pytest.approx(3)


def test_slots_longer_than_a_peaks_interval_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="longer") as caught:
        peak_cost(
            np.ones(2),
            Timeline(START, timedelta(hours=1), 2),
            [Peak(PeakPrice(price_per_kw_month=5))],
            zone=BERLIN,
        )
    assert (caught.value.field, caught.value.value) == ("tariff.peak.interval_minutes", 15)
    assert caught.value.remedy


def test_imports_carry_the_grids_carbon() -> None:
    assert carbon_g(np.array([1.0, 0.5, 0.0]), np.array([400.0, 200.0, 900.0])) == 500


@each_row(
    ("slot", "published"),
    [
        ("2024-02-01T11:45", "2024-01-31T12:00"),
        ("2024-02-01T22:45", "2024-01-31T12:00"),
        ("2024-02-01T23:00", "2024-02-01T12:00"),
        ("2024-03-31T12:00", "2024-03-30T12:00"),
        ("2024-03-31T22:00", "2024-03-31T11:00"),
        ("2024-10-27T12:00", "2024-10-26T11:00"),
        ("2024-10-27T23:00", "2024-10-27T12:00"),
    ],
    ids=[
        "noon",
        "before midnight",
        "after midnight",
        "day of spring",
        "after spring",
        "day of autumn",
        "after autumn",
    ],
)
def test_day_ahead_prices_are_published_at_one_oclock_the_day_before(
    slot: str, published: str
) -> None:
    assert publication_times(np.array([slot], dtype="datetime64[s]"), BERLIN) == np.array(
        [published], dtype="datetime64[us]"
    )


@each_row(
    ("known", "per_day", "extended"),
    [
        (6, 4, [0, 1, 2, 3, 4, 5, 2, 3, 4, 5]),
        (4, 4, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]),
        (2, 4, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]),
        (10, 4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (12, 4, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
    ids=["the last day", "one day", "less than a day", "all known", "more than there is"],
)
def test_unknown_prices_repeat_the_last_known_day(
    known: int, per_day: int, extended: list[float]
) -> None:
    price = np.where(np.arange(10) < known, np.arange(10.0), NAN)
    assert extend_prices(price, known, slots_per_day=per_day).tolist() == extended


@pytest.mark.parametrize(
    ("price", "known", "slot"),
    [([0.1, NAN, 0.3], 3, 1), ([NAN, NAN, NAN], 0, 0)],
    ids=["a gap", "nothing"],
)
def test_a_gap_in_known_prices_is_named(price: list[float], known: int, slot: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        extend_prices(np.array(price), known, slots_per_day=96)
    assert caught.value.field == f"import_price[{slot}]"
    assert caught.value.remedy


def test_typical_prices_follow_the_local_clock_and_the_currency() -> None:
    # 22:00 UTC in July is midnight in Berlin; 10 kronor are taken for a euro.
    night = Timeline(datetime(2024, 7, 1, 22, tzinfo=UTC), timedelta(hours=1), 24)
    typical = {
        currency: expect_typical("DE-LU", night, zone=ZoneInfo("Europe/Berlin"), currency=currency)
        for currency in ("EUR", "SEK", "XAU")
    }
    assert typical["XAU"] is None
    assert typical["EUR"] is not None
    assert typical["SEK"] is not None
    assert (typical["EUR"].like, typical["EUR"].price.tolist()) == (
        "NL",
        read_typical_prices()["NL"][6].tolist(),
    )
    assert typical["SEK"].price == pytest.approx(10 * typical["EUR"].price)
    # A tariff of Great Britain has no figures of its own either; a pound counts as a euro.
    london = ZoneInfo("Europe/London")
    agile = expect_typical("GB-AGILE-C", night, zone=london, currency="GBP")
    assert agile is not None
    assert (agile.like, np.isfinite(agile.price).all()) == ("NL", True)
    # South of the equator it is January's price, by the site's clock.
    sydney = expect_typical(
        "DE-LU",
        Timeline(datetime(2024, 7, 1, 14, tzinfo=UTC), timedelta(hours=1), 24),
        zone=ZoneInfo("Australia/Sydney"),
        currency="AUD",
        is_southern=True,
    )
    assert sydney is not None
    assert sydney.price == pytest.approx(2 * read_typical_prices()["NL"][0])
    # As every summer: noon is the cheapest time, the evening the dearest.
    assert (int(typical["EUR"].price.argmin()), int(typical["EUR"].price.argmax())) == (14, 20)
