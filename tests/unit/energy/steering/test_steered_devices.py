"""What the decision function knows of a site's devices."""

from luna.energy.site import parse_site
from luna.energy.steering import SteeredDevices, describe_devices

SITE = {
    "name": "home",
    "timezone": "Europe/Berlin",
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 4}
    ],
    "pv": [{"peak_kw": 8}, {"name": "shed", "peak_kw": 2, "curtailable": False}],
    "vehicles": [
        {"name": "car", "capacity_kwh": 60, "charger": {"phases": [1, 3]}, "charge_limit_kw": 7.5},
        {"name": "guest", "capacity_kwh": 40},
    ],
    "control": {
        "batteries": [
            {
                "battery": "battery",
                "soc": "sensor.soc",
                "modes": {"self_consumption": "own", "hold": "hold", "charge": "force"},
                "writes": [{"to": "select.mode", "value": "{mode}"}],
            }
        ],
        "vehicles": [
            {
                "vehicle": "car",
                "modes": {"charge": "on", "stop": "off"},
                "writes": [{"to": "select.car", "value": "{mode}"}],
            }
        ],
        "pv": {
            "modes": {"free": "free", "limit": "limit"},
            "writes": [{"to": "number.limit", "value": "{limit_w}"}],
        },
    },
}


def test_only_controlled_devices_are_steered_within_their_own_limits() -> None:
    devices = describe_devices(parse_site(SITE))
    assert devices.batteries["battery"].native_modes == {"self_consumption", "hold", "charge"}
    assert list(devices.vehicles) == ["car"]
    car = devices.vehicles["car"]
    # The car takes 7.5 kW: 10.9 A on three phases, in whole amperes, and all 16 A on one.
    assert (car.phases, car.min_current_a) == ((1, 3), 6.0)
    assert (car.most_current_a(1), car.most_current_a(3)) == (16.0, 10.0)
    # The shed's array cannot be held back.
    assert devices.pv_kw == 8.0


def test_a_site_that_controls_nothing_has_nothing_to_steer() -> None:
    site = parse_site({key: value for key, value in SITE.items() if key != "control"})
    assert describe_devices(site) == SteeredDevices()
