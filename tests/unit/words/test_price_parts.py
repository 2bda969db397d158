"""A price by its parts is said a line each, as it stands on a bill."""

from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from luna.energy.site import BaseCharge
from luna.energy.tariffs.components import AnyComponent, ComponentsPrice
from luna.words.numbers import Numbers
from luna.words.price_parts import _SAYERS, describe_base_charges, describe_components
from tests.support.suite.tables import each_row

WINTER = [10, 11, 12, 1, 2, 3]


def numbers(language: Any = "en") -> Numbers:
    return Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")


def say(language: Any = "en", **part: Any) -> str:
    rule = ComponentsPrice.model_validate({"kind": "components", "components": [part]})
    [line] = describe_components(rule, numbers(language))
    return line.replace("\u00a0", " ")


@each_row(
    ("part", "line"),
    [
        ({"kind": "fixed", "price": 2.05, "unit": "cents_per_kwh"}, "fee: 2.05 ct at any time"),
        (
            {
                "kind": "calendar",
                "price": 0.113,
                "windows": [{"from": "15:00", "to": "20:00", "price": 0.186}],
            },
            "fee: 18.6 ct from 15:00 to 20:00, else 11.3 ct",
        ),
        (
            {
                "kind": "calendar",
                "price": 0.1,
                "windows": [{"days": "weekday", "months": WINTER, "price": 0.2}],
            },
            "fee: 20.0 ct from 00:00 to 24:00 (Mon–Fri, Oct–Mar), else 10.0 ct",
        ),
        (
            {"kind": "spot", "market": "NL", "billing_minutes": 60, "vat": 0.21},
            "fee: market price NL, billed by the hour, plus 21% VAT",
        ),
        (
            {"kind": "fixed", "price": 0.1, "valid_from": "2026-01-01", "valid_to": "2027-01-01"},
            "fee: 10.0 ct at any time, from 2026-01-01, until 2026-12-31",
        ),
        (
            {"kind": "fixed", "price": 0.08, "zero_below_spot": "NL"},
            "fee: 8.0 ct at any time, nothing while the market price NL is below zero",
        ),
        (
            {"kind": "blocks", "blocks": [{"up_to_kwh": 100, "price": 0.2}, {"price": 0.3}]},
            "fee: 20.0 ct up to 100 kWh a month, else 30.0 ct",
        ),
        (
            {
                "kind": "blocks",
                "blocks": [{"up_to_kwh": 100, "price": 0.2}, {"price": 0.3}],
                "valid_from": "2027-01-01",
            },
            "fee: 20.0 ct up to 100 kWh a month, else 30.0 ct, from 2027-01-01",
        ),
        (
            {
                "kind": "plant_size",
                "plant_kw": 20,
                "steps": [{"up_to_kw": 10, "price": 0.08}, {"price": 0.06}],
            },
            "fee: 7.0 ct for solar of 20.0 kW",
        ),
        ({"kind": "series"}, "fee: prices you provide"),
        (
            {
                "kind": "allowance",
                "kwh_per_day": 2.5,
                "price": 0,
                "price_beyond": 0.2,
                "to": "06:00",
            },
            "fee: 0.0 ct for 2.5 kWh a day from 00:00 to 06:00, then 20.0 ct",
        ),
        (
            {
                "kind": "allowance",
                "kwh_per_day": 9,
                "price": 0.08,
                "price_beyond": 0.2,
                "price_outside": 0.3,
                "days": "weekday",
            },
            "fee: 8.0 ct for 9 kWh a day from 00:00 to 24:00 (Mon–Fri), then 20.0 ct, else 30.0 ct",
        ),
    ],
)
def test_each_kind_of_part_is_said(part: dict[str, Any], line: str) -> None:
    assert say(name="fee", **part) == line


def test_no_kind_of_part_is_left_unsaid() -> None:
    kinds, *_ = get_args(AnyComponent)
    assert set(get_args(kinds)) == set(_SAYERS)


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_a_base_charge_is_said_with_its_tax(language: Any) -> None:
    charge = BaseCharge(name="meter", price=0.05, per="day", vat=0.055)
    [line] = describe_base_charges([charge], numbers(language))
    assert line.startswith("meter: ")
    assert "5.5" in line or "5,5" in line
