"""Which fuses of a site the loop keeps."""

from typing import Any

import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.site import Site, parse_site
from luna.energy.steering import describe_devices
from services.steering.slot_targets import find_limits
from tests.support.control.executor import START

CARS = ("left", "right")
WRITE = {"to": "switch.charger", "value": "{mode}"}


def make_site(**charger: Any) -> Site:
    vehicles = []
    for name in CARS:
        vehicles.append({"name": name, "capacity_kwh": 60, "charger": {"phases": [1, 3]} | charger})
    modes = {"charge": "on", "stop": "off"}
    controls = [{"vehicle": name, "modes": modes, "writes": [WRITE]} for name in CARS]
    return parse_site(
        {
            "name": "home",
            "timezone": "Europe/Berlin",
            "grid": {"main_fuse_a": 35, "circuits": [{"name": "garage", "fuse_a": 32}]},
            "vehicles": vehicles,
            "control": {"by": "dry_run", "vehicles": controls},
        }
    )


def test_chargers_of_a_circuit_share_its_fuse() -> None:
    site = make_site(circuit="garage")
    limits = find_limits(site, (), START)
    assert limits.fuse_a == 35.0
    assert limits.circuits_a == {"garage": 32.0}
    vehicles = describe_devices(site).vehicles
    assert [vehicles[name].circuit for name in CARS] == ["garage", "garage"]


def test_charger_says_which_phase_it_uses_alone() -> None:
    vehicles = describe_devices(make_site(phase=2)).vehicles
    assert vehicles["left"].on_phases == (2, 1, 3)


def test_unknown_circuit_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError) as refused:
        make_site(circuit="cellar")
    assert refused.value.reason == "no-such-circuit"
    assert refused.value.parameters["circuit"] == "cellar"
