"""A tariff written with another's names is refused with the names that Luna reads."""

from typing import Any, get_args

import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import parse_site
from luna.energy.site.other_names import FIELDS
from luna.energy.site.tariff import BaseCharge, ImportRule, PriceBand, Tariff
from luna.energy.tariffs.blocks import PriceBlock
from luna.energy.tariffs.calendar import CalendarWindow
from luna.energy.tariffs.components import AnyComponent
from luna.energy.tariffs.plant_size import SizeStep
from luna.words.language import Language
from luna.words.refusals import say_refusal
from tests.support.suite.tables import each_row

SPOT = {"kind": "spot", "name": "energy", "market": "NL"}
FIXED = {"kind": "fixed", "name": "tax", "price": 0.1}
WINDOW = {"from": "17:00", "to": "21:00", "price": 0.2}
CALENDAR = {"kind": "calendar", "name": "fee", "price": 0.1, "windows": [WINDOW]}
BANDS = {"kind": "time_of_use", "default": 0.3, "bands": [WINDOW]}
BASE = {"name": "base price", "price": 12}


def refuse(tariff: dict[str, Any]) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        parse_site({"name": "home", "timezone": "Europe/Amsterdam", "tariff": tariff})
    return caught.value


def rename(part: dict[str, Any], known: str, given: str) -> dict[str, Any]:
    """Return the part with one field under another name."""
    return {given if name == known else name: value for name, value in part.items()}


def list_one(component: dict[str, Any]) -> dict[str, Any]:
    """Return a tariff of one component."""
    return {"import": {"kind": "components", "components": [component]}}


@each_row(
    ("component", "given", "instead"),
    [
        (SPOT | {"billing_interval": 60}, "billing_interval", "billing_minutes"),
        (SPOT | {"interval": 60}, "interval", "billing_minutes"),
        (SPOT | {"interval_minutes": 60}, "interval_minutes", "billing_minutes"),
        (SPOT | {"surcharge": 0.1}, "surcharge", "{name: tax, kind: fixed, price: 0.02}"),
        (SPOT | {"fee": 0.1}, "fee", "{name: tax, kind: fixed, price: 0.02}"),
        (SPOT | {"grid_fee": 0.1}, "grid_fee", "{name: tax, kind: fixed, price: 0.02}"),
        (SPOT | {"tax": 0.1}, "tax", "{name: tax, kind: fixed, price: 0.02}"),
        (SPOT | {"taxes": 0.1}, "taxes", "{name: tax, kind: fixed, price: 0.02}"),
        (SPOT | {"markup": 0.1}, "markup", "{name: tax, kind: fixed, price: 0.02}"),
        (FIXED | {"vat_percent": 21}, "vat_percent", "vat: 0.19"),
        (rename(FIXED, "price", "price_per_kwh"), "price_per_kwh", "price"),
        (rename(FIXED, "price", "rate"), "rate", "price"),
        (rename(CALENDAR, "windows", "bands"), "bands", "windows"),
        (rename(CALENDAR, "price", "default"), "default", "price"),
        (FIXED | {"from_date": "2026-01-01"}, "from_date", "valid_from"),
        (FIXED | {"since": "2026-01-01"}, "since", "valid_from"),
        (FIXED | {"until": "2027-01-01"}, "until", "valid_to"),
        (FIXED | {"valid_until": "2027-01-01"}, "valid_until", "valid_to"),
        (FIXED | {"currency": "EUR"}, "currency", "site.currency"),
        (FIXED | {"standing_charge": 9}, "standing_charge", "tariff.base"),
        (FIXED | {"base_price": 9}, "base_price", "tariff.base"),
        (FIXED | {"monthly_fee": 9}, "monthly_fee", "tariff.base"),
    ],
)
def test_a_field_of_a_component_names_the_one_to_use(
    component: dict[str, Any], given: str, instead: str
) -> None:
    error = refuse(list_one(component))
    assert error.field == f"site.tariff.import.components.0.{given}"
    assert error.parameters == {"given": given, "instead": instead}


@each_row(
    ("rule", "given", "instead"),
    [
        ({"kind": "fixed", "rate": 0.3}, "rate", "price"),
        ({"kind": "fixed", "price_per_kwh": 0.3}, "price_per_kwh", "price"),
        ({"kind": "fixed", "price": 0.3, "grid_fee": 0.1}, "grid_fee", "kind: components"),
        ({"kind": "fixed", "price": 0.3, "until": "2027-01-01"}, "until", "kind: components"),
        ({"kind": "spot", "market": "NL", "surcharge": 0.1}, "surcharge", "markup"),
        ({"kind": "spot", "market": "NL", "vat_percent": 21}, "vat_percent", "vat: 0.19"),
        (
            {"kind": "spot", "market": "NL", "billing_minutes": 60},
            "billing_minutes",
            "kind: components",
        ),
        (rename(BANDS, "bands", "windows"), "windows", "bands"),
        (rename(BANDS, "default", "price"), "price", "default"),
        (BANDS | {"monthly_fee": 9}, "monthly_fee", "tariff.base"),
    ],
)
def test_a_field_of_a_rule_names_the_one_to_use(
    rule: dict[str, Any], given: str, instead: str
) -> None:
    error = refuse({"import": rule})
    assert error.field == f"site.tariff.import.{given}"
    assert error.parameters == {"given": given, "instead": instead}


KINDS = [
    ({"import": {"kind": "calendar"}}, "import", "time_of_use"),
    ({"import": {"kind": "dynamic"}}, "import", "spot"),
    ({"import": {"kind": "flat"}}, "import", "fixed"),
    ({"import": {"kind": "plant_size"}}, "import", "components"),
    ({"import": {"kind": "tou"}}, "import", "time_of_use"),
    (list_one({"kind": "dynamic"}), "import.components.0", "spot"),
    (list_one({"kind": "flat"}), "import.components.0", "fixed"),
    (list_one({"kind": "time_of_use"}), "import.components.0", "calendar"),
    (list_one({"kind": "tou"}), "import.components.0", "calendar"),
]


@each_row(("tariff", "field", "instead"), KINDS)
def test_a_kind_of_another_name_names_the_one_to_use(
    tariff: dict[str, Any], field: str, instead: str
) -> None:
    error = refuse(tariff)
    assert error.field == f"site.tariff.{field}"
    assert error.parameters["instead"] == instead


@each_row(
    ("tariff", "field", "instead"),
    [
        ({"standing_charge": 9}, "standing_charge", "tariff.base"),
        ({"currency": "EUR"}, "currency", "site.currency"),
        ({"grid_fee": 0.1}, "grid_fee", "tariff.import.components"),
        ({"base": [BASE | {"since": "2026-01-01"}]}, "base.0.since", "valid_from"),
        ({"base": [rename(BASE, "price", "monthly_fee")]}, "base.0.monthly_fee", "price"),
    ],
)
def test_what_stands_beside_the_price_names_its_place(
    tariff: dict[str, Any], field: str, instead: str
) -> None:
    error = refuse({"import": {"kind": "fixed", "price": 0.3}} | tariff)
    assert error.field == f"site.tariff.{field}"
    assert error.parameters["instead"] == instead


def test_a_window_within_a_component_is_named_by_its_place_in_the_file() -> None:
    window = rename(WINDOW, "price", "rate")
    component = CALENDAR | {"windows": [WINDOW, window]}
    error = refuse(list_one(component))
    assert error.field == "site.tariff.import.components.0.windows.1.rate"
    assert error.parameters["instead"] == "price"


def test_a_name_that_resembles_none_is_refused_as_before() -> None:
    error = refuse(list_one(FIXED | {"colour": 3}))
    assert error.field == "site.tariff.import.components.0.colour"
    assert error.reason == "extra-forbidden"


def test_a_list_that_lacks_only_its_wrong_member_is_not_named_as_well() -> None:
    error = refuse(list_one(SPOT | {"interval": 60}))
    assert "also wrong" not in error.message


@each_row("language", ["en", "de", "nl"])
def test_a_page_says_both_names(language: Language) -> None:
    error = refuse(list_one(SPOT | {"interval": 60}))
    said = say_refusal(error, language)
    assert "interval" in said.sentence
    assert "billing_minutes" in said.remedy


def fields_by_part() -> dict[str, set[str]]:
    """Return the names that each part of a tariff reads, by the table's name of the part."""
    parts: dict[str, Any] = {
        "": Tariff,
        "time_of_use.bands": PriceBand,
        "blocks.blocks": PriceBlock,
        "components.calendar.windows": CalendarWindow,
        "components.blocks.blocks": PriceBlock,
        "components.plant_size.steps": SizeStep,
        "base": BaseCharge,
    }
    for prefix, union in (("", ImportRule), ("components.", AnyComponent)):
        for model in get_args(get_args(union)[0]):
            kind = get_args(model.model_fields["kind"].annotation)[0]
            parts[f"{prefix}{kind}"] = model
    return {
        part: {field.alias or name for name, field in model.model_fields.items()}
        for part, model in parts.items()
    }


@each_row("part", FIELDS)
def test_the_table_replaces_no_name_that_luna_reads(part: str) -> None:
    known = fields_by_part()[part]
    assert known & set(FIELDS[part]) == set()
    # A plain name is a field of the same part.
    plain = {name for name in FIELDS[part].values() if name.isidentifier()}
    assert plain - known == set()
