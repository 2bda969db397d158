"""Which defaults of a site's file cost money."""

from typing import Any

from luna.energy.site import parse_site
from services.cli.site import list_defaults, load_site
from tests.unit.config.test_example_site import EXAMPLE

BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
WHOLE = {
    "min_soc": 0.0,
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.95,
    "charge_from_grid": True,
    "discharge_to_grid": True,
}
GRID = {"import_limit_kw": 11, "export_limit_kw": 8}
FIXED = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.0}}


def named(**changes: Any) -> dict[str, Any]:
    site = parse_site(
        {"name": "home", "timezone": "Europe/Berlin", "grid": GRID, "tariff": FIXED} | changes
    )
    return {each.field: each.value for each in list_defaults(site)}


def test_a_site_without_a_tariff_is_told_both_prices() -> None:
    site = parse_site({"name": "home", "timezone": "Europe/Berlin", "grid": GRID})
    assert {each.field: each.value for each in list_defaults(site)} == {
        "tariff.import": "fixed 0.30",
        "tariff.export": "fixed 0",
    }


def test_what_is_written_is_no_default_also_where_it_is_the_same() -> None:
    assert named(batteries=[BATTERY | WHOLE | {"wear_price": 0.0}]) == {}


def test_a_tariff_without_export_earns_nothing() -> None:
    assert named(tariff={"import": FIXED["import"]}) == {"tariff.export": "fixed 0"}


def test_a_spot_price_without_taxes_is_named() -> None:
    spot = {"kind": "spot", "market": "NL"}
    expected = {"tariff.import.markup": 0.0, "tariff.import.vat": 0.0, "tariff.export.markup": 0.0}
    assert named(tariff={"import": spot, "export": spot}) == expected


def test_a_batterys_losses_wear_and_rights_are_named() -> None:
    found = named(batteries=[BATTERY])
    assert found == {
        f"batteries.battery.{name}": value for name, value in (WHOLE | {"wear_price": 0.0}).items()
    }


def test_wear_by_depth_takes_the_place_of_a_wear_price() -> None:
    assert (
        named(batteries=[BATTERY | WHOLE | {"wear_by_depth": [{"to_depth": 1, "price": 0.02}]}])
        == {}
    )


def test_only_a_car_that_gives_wears() -> None:
    assert list(named(vehicles=[{"capacity_kwh": 40}])) == ["vehicles.car.charge_efficiency"]
    assert "vehicles.car.wear_price" in named(
        vehicles=[{"capacity_kwh": 40, "discharge_limit_kw": 5}]
    )


def test_a_roof_without_a_place_is_named() -> None:
    assert named(pv=[{"peak_kw": 5}]) == {"location": None}


def test_a_connection_without_limits_is_named() -> None:
    assert named(grid={}) == {"grid.import_limit_kw": 10_000.0, "grid.export_limit_kw": 10_000.0}


def test_the_example_leaves_nothing_that_costs_money_to_a_default() -> None:
    assert list_defaults(load_site(EXAMPLE)) == []
