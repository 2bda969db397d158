"""Tariffs to be billed, as a site's file has them.

What changes on a date changes on ``MID_MONTH``, where it does in life on the first of January.
"""

from dataclasses import dataclass
from typing import Any

MID_MONTH = "2026-07-15"
OWN_PRICES = ("import_price", "export_price")

Json = dict[str, Any]


@dataclass(frozen=True)
class TariffCase:
    """A tariff, where and in which money it is paid, and the price series that it needs.

    ``money_scale``: how much of the currency about makes a euro.
    """

    name: str
    timezone: str
    currency: str
    tariff: Json
    markets: tuple[str, ...] = ()
    money_scale: float = 1.0
    own_series: tuple[str, ...] = ()


def components(*parts: Json) -> Json:
    """Return the rule whose components add up."""
    return {"kind": "components", "components": list(parts)}


def fixed(name: str, price: float, **fields: Any) -> Json:
    """Return a component of one price."""
    return {"name": name, "kind": "fixed", "price": price, **fields}


def spot(name: str, market: str, **fields: Any) -> Json:
    """Return a component that follows a market."""
    return {"name": name, "kind": "spot", "market": market, **fields}


def by_calendar(name: str, price: float, windows: list[Json], **fields: Any) -> Json:
    """Return a component by clock, weekday and month; ``price`` holds outside the windows."""
    return {"name": name, "kind": "calendar", "price": price, "windows": windows, **fields}


def window(begin: str, end: str, price: float, **fields: Any) -> Json:
    """Return a window between two local clock times."""
    return {"from": begin, "to": end, "price": price, **fields}


def base(name: str, price: float, per: str, **fields: Any) -> Json:
    """Return a base charge."""
    return {"name": name, "price": price, "per": per, **fields}


# --- rules of one kind ----------------------------------------------------------------------------

FIXED = {
    "import": {"kind": "fixed", "price": 0.31},
    "export": {"kind": "fixed", "price": 0.0811},
}

OVER_MIDNIGHT = {
    "import": {
        "kind": "time_of_use",
        "default": 0.29,
        "bands": [
            window("22:00", "06:00", 0.19),
            window("17:00", "23:00", 0.37, days="weekday"),
            window("10:00", "14:00", 0.24, days="weekend"),
        ],
    },
    "export": {
        "kind": "time_of_use",
        "default": 0.05,
        "bands": [window("17:00", "21:00", 0.09)],
    },
}

SPOT_AND_VAT = {
    "import": {"kind": "spot", "market": "DE-LU", "markup": 0.164, "vat": 0.19},
    "export": {"kind": "spot", "market": "DE-LU", "markup": -0.004},
}

OWN_SERIES = {"import": {"kind": "series"}, "export": {"kind": "series"}}

BLOCKS_AND_PEAKS = {
    "import": {
        "kind": "blocks",
        "blocks": [
            {"up_to_kwh": 150, "price": 0.18},
            {"up_to_kwh": 400, "price": 0.26},
            {"price": 0.35},
        ],
    },
    "export": {"kind": "fixed", "price": 0.04},
    "peak": [
        {
            "name": "three days",
            "price_per_kw_month": 5.2,
            "highest": 3,
            "interval_minutes": 60,
            "one_per_day": True,
        },
        {
            "name": "night",
            "price_per_kw_month": 1.1,
            "highest": 2,
            "interval_minutes": 30,
            "from": "22:00",
            "to": "06:00",
            "days": "weekday",
        },
        {
            "name": "noon",
            "price_per_kw_month": 2.3,
            "interval_minutes": 15,
            "from": "11:00",
            "to": "14:00",
            "least_kw": 2.5,
        },
    ],
}

# --- tariffs by component -------------------------------------------------------------------------

SPOT_BY_HOUR = {
    "import": components(
        spot("energy", "FR", billing_minutes=60, vat=0.2),
        fixed("grid fee", 0.0458, vat=0.2),
    ),
    "export": components(spot("feed-in", "FR", billing_minutes=60, factor=0.9)),
    "base": [base("supplier", 12.44, "month", vat=0.055)],
}

# Grid fee in three levels by quarter of the year (§ 14a EnWG, module 3); feed-in as in § 21 and
# § 51 EEG: by the plant's size, and nothing while the market's price is below zero.
GERMANY = {
    "import": components(
        spot("energy", "DE-LU", vat=0.19),
        fixed("supplier's markup", 1.8, unit="cents_per_kwh", vat=0.19),
        by_calendar(
            "grid fee",
            9.53,
            [
                window("00:00", "06:00", 0.95, months=[1, 2, 3, 10, 11, 12]),
                window("17:00", "22:00", 15.65, months=[1, 2, 3, 10, 11, 12]),
                window("11:00", "15:00", 0.95, months=[4, 5, 6, 7, 8, 9]),
            ],
            unit="cents_per_kwh",
            vat=0.19,
            valid_from="2026-01-01",
        ),
        fixed("concession fee", 1.66, unit="cents_per_kwh", vat=0.19),
        fixed("levies", 2.651, unit="cents_per_kwh", vat=0.19, valid_to=MID_MONTH),
        fixed("levies", 2.946, unit="cents_per_kwh", vat=0.19, valid_from=MID_MONTH),
        fixed("electricity tax", 20.5, unit="per_mwh", vat=0.19),
    ),
    "export": components(
        {
            "name": "feed-in",
            "kind": "plant_size",
            "plant_kw": 14.8,
            "steps": [
                {"up_to_kw": 10, "price": 7.86},
                {"up_to_kw": 40, "price": 6.8},
                {"up_to_kw": 100, "price": 5.56},
            ],
            "unit": "cents_per_kwh",
            "zero_below_spot": "DE-LU",
        }
    ),
    "base": [
        base("supplier", 4.99, "month", vat=0.19),
        base("meter", 0.1096, "day", vat=0.19, valid_from="2026-03-10"),
    ],
}

# Sold energy counts like bought energy until the end of 2026, and then earns the market's price.
NETHERLANDS = {
    "import": components(
        spot("energy", "NL", billing_minutes=60, vat=0.21),
        fixed("supplier's fee", 0.0182, vat=0.21),
        fixed("energy tax", 0.09161, vat=0.21, valid_to="2027-01-01"),
        fixed("energy tax", 0.0898, vat=0.21, valid_from="2027-01-01"),
    ),
    "export": components(
        spot("net metering", "NL", billing_minutes=60, vat=0.21, valid_to="2027-01-01"),
        fixed("energy tax", 0.09161, vat=0.21, valid_to="2027-01-01"),
        spot("feed-in", "NL", billing_minutes=60, valid_from="2027-01-01"),
        fixed("fee for selling", -0.0115, valid_from="2027-01-01"),
    ),
    "base": [
        base("supplier", 5.99, "month"),
        base("tax credit", -52.2, "month"),
        base("grid", 1.18, "day", valid_to=MID_MONTH),
        base("grid", 1.31, "day", valid_from=MID_MONTH),
    ],
}

DENMARK = {
    "import": components(
        spot("energy", "DK1", billing_minutes=60, vat=0.25),
        by_calendar(
            "grid fee",
            0.1442,
            [
                window("00:00", "06:00", 0.0961),
                window("17:00", "21:00", 0.8654, months=[1, 2, 3, 10, 11, 12]),
                window("17:00", "21:00", 0.3749, months=[4, 5, 6, 7, 8, 9]),
                window("06:00", "24:00", 0.2884, months=[1, 2, 3, 10, 11, 12]),
            ],
            vat=0.25,
        ),
        fixed("transmission", 0.115, vat=0.25),
        fixed("electricity tax", 0.727, vat=0.25, valid_to=MID_MONTH),
        fixed("electricity tax", 0.008, vat=0.25, valid_from=MID_MONTH, valid_to="2028-01-01"),
        fixed("electricity tax", 0.5, vat=0.25, valid_from="2028-01-01"),
    ),
    "export": components(
        spot("feed-in", "DK1", billing_minutes=60),
        fixed("balancing", -3.2, unit="cents_per_kwh"),
    ),
    "base": [base("supplier", 29, "month", vat=0.25), base("grid", 49.5, "month", vat=0.25)],
}

NORWAY = {
    "import": components(
        spot("energy", "NO1", billing_minutes=60, vat=0.25),
        fixed("supplier's markup", 4.9, unit="cents_per_kwh"),
        by_calendar(
            "grid fee",
            25.3,
            [window("06:00", "22:00", 37.8, days="weekday")],
            unit="cents_per_kwh",
            vat=0.25,
            holidays="NO",
        ),
        fixed("electricity tax", 7.13, unit="cents_per_kwh", vat=0.25),
    ),
    "export": components(spot("feed-in", "NO1", billing_minutes=60)),
    "base": [base("grid", 250, "month", vat=0.25), base("supplier", 39, "month")],
    "peak": {"price_per_kw_month": 41.5, "highest": 3, "interval_minutes": 60, "one_per_day": True},
}

BRITAIN = {
    "import": components(
        spot("energy", "GB", factor=2.2, billing_minutes=30, vat=0.05),
        by_calendar(
            "peak hours",
            0,
            [window("16:00", "19:00", 12.0)],
            unit="cents_per_kwh",
            vat=0.05,
        ),
    ),
    "export": components(fixed("feed-in", 15, unit="cents_per_kwh")),
    "base": [
        base("standing charge", 0.4785, "day", vat=0.05, valid_to=MID_MONTH),
        base("standing charge", 0.5112, "day", vat=0.05, valid_from=MID_MONTH),
    ],
}

UNITED_STATES = {
    "import": components(
        {
            "name": "energy",
            "kind": "blocks",
            "blocks": [
                {"up_to_kwh": 200, "price": 9.4},
                {"up_to_kwh": 500.5, "price": 13.1},
                {"price": 17.25},
            ],
            "unit": "cents_per_kwh",
        },
        by_calendar(
            "delivery",
            0.112,
            [
                window("00:00", "24:00", 0.094, days="weekend"),
                window("16:00", "21:00", 0.248, months=[6, 7, 8, 9]),
                window("16:00", "21:00", 0.171),
            ],
            holidays="US",
        ),
        fixed("public programmes", 0.0241),
    ),
    "export": components(
        by_calendar(
            "feed-in",
            0.031,
            [window("17:00", "20:00", 0.284, months=[8, 9, 10], days=["mon", "wed", "fri"])],
        )
    ),
    "base": [base("customer charge", 0.7934, "day")],
}

AUSTRALIA = {
    "import": components(
        by_calendar(
            "energy",
            0.3391,
            [
                window("22:30", "01:00", 0.289, days=["fri", "sat"]),
                window("10:00", "15:00", 0.1854),
                window("17:30", "21:00", 0.5124, days="weekday"),
            ],
            vat=0.1,
            holidays="AU-SA",
        ),
        spot("wholesale share", "SA1", factor=0.25, billing_minutes=60, vat=0.1),
    ),
    "export": components(
        fixed("feed-in", 5.0, unit="cents_per_kwh"),
        by_calendar("noon charge", 0, [window("10:00", "14:30", -1.5)], unit="cents_per_kwh"),
        spot("bonus", "SA1", factor=0.1, billing_minutes=30, zero_below_spot="SA1"),
    ),
    "base": [base("supply charge", 1.0824, "day", vat=0.1)],
}

AUSTRIA = {
    "import": components(
        spot("energy", "AT", vat=0.2),
        fixed("supplier's markup", 12.5, unit="per_mwh", vat=0.2),
        by_calendar(
            "grid fee",
            6.95,
            [window("10:00", "16:00", 5.56, months=[4, 5, 6, 7, 8, 9])],
            unit="cents_per_kwh",
            vat=0.2,
        ),
        fixed("levies", 1.37, unit="cents_per_kwh", vat=0.2),
    ),
    "export": components(spot("feed-in", "AT", factor=0.8, zero_below_spot="AT")),
    "base": [base("grid", 54, "month", vat=0.2), base("meter", 2.4, "month", vat=0.2)],
}

BELGIUM = {
    "import": components(
        spot("energy", "BE", factor=1.04, billing_minutes=60, vat=0.06),
        fixed("supplier's markup", 14.2, unit="per_mwh", vat=0.06),
        fixed("grid fee", 0.0516, vat=0.06),
        fixed("excise", 50.33, unit="per_mwh", vat=0.06),
    ),
    "export": components(
        spot("feed-in", "BE", factor=0.98, billing_minutes=60),
        fixed("fee for selling", -11.0, unit="per_mwh"),
    ),
    "base": [base("supplier", 5.0, "month", vat=0.06), base("data", 1.48, "month", vat=0.06)],
    "peak": {"name": "capacity", "price_per_kw_month": 4.4, "least_kw": 2.5},
}

# The supplier changes in the middle of a month, and with it the rule; the grid fee stays.
CHANGE_OF_SUPPLIER = {
    "import": components(
        fixed("energy", 0.184, vat=0.23, valid_to=MID_MONTH),
        spot("energy", "PT", billing_minutes=60, vat=0.23, valid_from=MID_MONTH),
        by_calendar(
            "grid fee",
            0.0401,
            [window("08:00", "22:00", 0.0717, days="weekday")],
            vat=0.23,
        ),
    ),
    "export": components(
        spot("feed-in", "PT", factor=0.95, valid_to=MID_MONTH),
        fixed("feed-in", 0.045, valid_from=MID_MONTH),
    ),
    "base": [
        base("supplier", 4.2, "month", vat=0.23, valid_to=MID_MONTH),
        base("supplier", 6.15, "month", vat=0.23, valid_from=MID_MONTH),
    ],
}

OWN_SERIES_AND_FEES = {
    "import": components(
        {"name": "energy", "kind": "series", "vat": 0.077},
        fixed("grid fee", 9.1, unit="cents_per_kwh", valid_from="2026-03-29"),
    ),
    "export": components(
        {"name": "feed-in", "kind": "series", "zero_below_spot": "CH"},
        fixed("guarantee of origin", 0.02),
    ),
}

# New blocks from the middle of a month on; what the month has drawn before counts in both.
NEW_BLOCKS = {
    "import": components(
        {
            "name": "energy",
            "kind": "blocks",
            "blocks": [{"up_to_kwh": 180, "price": 19.5}, {"price": 31}],
            "unit": "cents_per_kwh",
            "vat": 0.1,
            "valid_to": MID_MONTH,
        },
        {
            "name": "energy",
            "kind": "blocks",
            "blocks": [
                {"up_to_kwh": 120, "price": 17},
                {"up_to_kwh": 260, "price": 26.5},
                {"price": 34.25},
            ],
            "unit": "cents_per_kwh",
            "vat": 0.2,
            "valid_from": MID_MONTH,
        },
        fixed("grid fee", 0.0612, vat=0.1),
    ),
    "export": components(fixed("feed-in", 0.05)),
}

# Nights with a cap, and from noon to noon so much at another price.
ALLOWANCES = {
    "import": components(
        {
            "name": "night",
            "kind": "allowance",
            "kwh_per_day": 20,
            "price": 0,
            "price_beyond": 18.4,
            "price_outside": 21.2,
            "unit": "cents_per_kwh",
            "vat": 0.2,
            "from": "00:00",
            "to": "06:00",
        },
        {
            "name": "from noon",
            "kind": "allowance",
            "kwh_per_day": 9.5,
            "price": 0.04,
            "price_beyond": 0.11,
            "day_begins": "12:00",
            "valid_from": "2026-03-11",
        },
        fixed("grid fee", 0.0612, vat=0.2),
    ),
    "export": components(fixed("feed-in", 0.05)),
}

# Markets are named as Luna names bidding zones; prices of NEM region SA1 are in its place.
TARIFFS = (
    TariffCase("fixed", "Europe/Berlin", "EUR", FIXED),
    TariffCase("time of use over midnight", "Europe/Madrid", "EUR", OVER_MIDNIGHT),
    TariffCase("spot, markup and VAT", "Europe/Berlin", "EUR", SPOT_AND_VAT, ("DE-LU",)),
    TariffCase("own series", "Europe/Dublin", "EUR", OWN_SERIES, own_series=OWN_PRICES),
    TariffCase("blocks and two peaks", "Europe/Rome", "EUR", BLOCKS_AND_PEAKS),
    TariffCase("spot by the hour", "Europe/Paris", "EUR", SPOT_BY_HOUR, ("FR",)),
    TariffCase("Germany", "Europe/Berlin", "EUR", GERMANY, ("DE-LU",)),
    TariffCase("Netherlands", "Europe/Amsterdam", "EUR", NETHERLANDS, ("NL",)),
    TariffCase("Denmark", "Europe/Copenhagen", "DKK", DENMARK, ("DK1",), 7.46),
    TariffCase("Norway", "Europe/Oslo", "NOK", NORWAY, ("NO1",), 11.6),
    TariffCase("Britain", "Europe/London", "GBP", BRITAIN, ("GB",), 0.86),
    TariffCase("United States", "America/Los_Angeles", "USD", UNITED_STATES),
    TariffCase("new blocks", "Europe/Athens", "EUR", NEW_BLOCKS),
    TariffCase("allowances", "Europe/Tallinn", "EUR", ALLOWANCES),
    TariffCase("South Australia", "Australia/Adelaide", "AUD", AUSTRALIA, ("SA1",), 1.7),
    TariffCase("Austria", "Europe/Vienna", "EUR", AUSTRIA, ("AT",)),
    TariffCase("Belgium", "Europe/Brussels", "EUR", BELGIUM, ("BE",)),
    TariffCase("change of supplier", "Europe/Lisbon", "EUR", CHANGE_OF_SUPPLIER, ("PT",)),
    TariffCase(
        "own series and fees",
        "Europe/Zurich",
        "CHF",
        OWN_SERIES_AND_FEES,
        ("CH",),
        0.95,
        OWN_PRICES,
    ),
)
