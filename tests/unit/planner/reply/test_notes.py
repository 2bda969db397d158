"""Requests that are well-formed and absurd: planned as they are, with a note that names what they
are compared with.
"""

from typing import Any

import numpy as np

from services.planner.reply.notes import doubt_by_last_week
from tests.support.planning.requests import answer, make_request
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording_pattern

GRID = {"import_limit_kw": 17.0, "export_limit_kw": 17.0}
PV = [{"peak_kw": 5.0}]
BATTERY = [{"capacity_kwh": 10.0, "charge_limit_kw": 5.0, "discharge_limit_kw": 5.0}]
HOME = {"grid": GRID, "pv": PV, "batteries": BATTERY}
PRICES = [0.20, 0.25, 0.40, 0.15]
BEYOND = (
    "load_beyond_site",
    "load_beyond_homes",
    "pv_beyond_arrays",
    "price_beyond_markets",
    "prices_beyond_last_week",
)


@each_row(
    ("site", "series", "codes"),
    [
        (HOME, {"load_kwh": [1.0, 9.0, 20.0, 30.0], "pv_kwh": [0.0, 4.0, 5.5, 0.0]}, []),
        (HOME, {"load_kwh": [500.0, 400.0, 17_000.0, 600.0]}, ["load_beyond_site"]),
        ({"batteries": BATTERY}, {"load_kwh": [1.0, 40.0, 200.0, 1.0]}, []),
        ({"batteries": BATTERY}, {"load_kwh": [1.0, 400.0, 2_000.0, 1.0]}, ["load_beyond_homes"]),
        (HOME, {"pv_kwh": [0.0, 4_000.0, 5_000.0, 0.0]}, ["pv_beyond_arrays"]),
        # Dear and cheap as markets can be, with taxes; in EUR/MWh; in ct/kWh; a cheap day in
        # EUR/MWh.
        (HOME, {"import_price": [-0.6, 0.3, 5.2, 0.1], "export_price": [-0.5, 0.1, 4.0, 0.0]}, []),
        (
            HOME,
            {"import_price": [80.0, 60.0, 95.0, 20.0], "export_price": 0.05},
            ["price_beyond_markets"],
        ),
        (
            HOME,
            {"import_price": PRICES, "export_price": [8.0, 7.0, 8.0, 8.0]},
            ["price_beyond_markets"],
        ),
        (
            HOME,
            {"import_price": [8.0, 4.0, -5.0, 2.0], "export_price": [8.0, 4.0, -5.0, 2.0]},
            ["price_beyond_markets", "price_beyond_markets"],
        ),
        (
            HOME | {"currency": "SEK"},
            {"import_price": [2.0, 4.0, 12.0, 1.0], "export_price": 0.5},
            [],
        ),
        # Australia's market price cap of 20.30 AUD/kWh with tax; Europe's cap in Norway with tax;
        # Japan's dearest hour of January 2021.
        (
            HOME | {"currency": "AUD"},
            {"import_price": [-1.1, 0.2, 22.5, 0.3], "export_price": [-1.0, 0.1, 20.3, 0.1]},
            [],
        ),
        (HOME | {"currency": "NOK"}, {"import_price": [0.1, 1.0, 58.0, 2.0]}, []),
        (HOME | {"currency": "JPY"}, {"import_price": [5.0, 20.0, 276.0, 30.0]}, []),
        (HOME | {"currency": "ZAR"}, {"import_price": [1.5, 3.0, 7.0, 2.0]}, []),
        (
            HOME | {"currency": "AUD"},
            {"import_price": [80.0, 60.0, 95.0, 20.0], "export_price": 0.05},
            ["price_beyond_markets"],
        ),
    ],
)
def test_what_is_far_beyond_anything_known_is_planned_with_a_note(
    site: dict[str, Any], series: dict[str, Any], codes: list[str]
) -> None:
    reply = answer(make_request(site, {"import_price": PRICES} | series))
    assert len(reply.slots) == len(PRICES)
    assert [(note.code, note.assumed) for note in reply.notes if note.code in BEYOND] == [
        (code, True) for code in codes
    ]


def test_the_note_names_the_furthest_slot_and_what_it_is_compared_with() -> None:
    reply = answer(
        make_request(
            HOME,
            {"import_price": PRICES, "load_kwh": [1.0, 500.0, 27_000.0, 1.0]},
            options={"language": "en"},
        )
    )
    note = next(note for note in reply.notes if note.code == "load_beyond_site")
    # 17 kW of the connection, 5 of the sun, 5 of the battery.
    assert (note.figures["kw"], note.figures["limit_kw"], note.figures["times"]) == (
        27_000.0,
        27.0,
        1_000.0,
    )
    told = {"kw": "27,000.0\u00a0kW", "times": "1,000", "limit_kw": "27.0\u00a0kW"}
    assert wording_pattern("notes", "note_load_beyond_site", **told).fullmatch(note.text)


def test_prices_ahead_are_compared_with_those_of_the_last_week() -> None:
    outlook = make_request(HOME, {"import_price": np.tile([3.0, 1.0, 4.0, 2.0], 12)}).outlook
    assert outlook is not None
    week = np.tile([0.25, 0.30], 336)
    [doubt] = doubt_by_last_week(outlook, week, "EUR")
    assert (doubt.code, doubt.figures) == (
        "prices_beyond_last_week",
        {"price": 2.5, "known_price": 0.3, "times": 8.3},
    )
    assert not [
        *doubt_by_last_week(outlook, week * 8, "EUR"),
        *doubt_by_last_week(outlook, np.full(672, np.nan), "EUR"),
    ]
