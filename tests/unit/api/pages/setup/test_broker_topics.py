"""Which of a broker's topics may tell of a car."""

import json

from services.api.pages.setup.broker_topics import propose_topics

HOUSE = {
    "zigbee2mqtt/desk": json.dumps({"state": "ON", "battery": 80, "linkquality": 90}),
    "inverter/soc": "55",
    "inverter/battery/level": "55",
    "car/key/battery_level": "90",
    "homeassistant/status": "online",
    "wallbox/wifi/connected": "true",
}


def test_a_charger_s_bridge_is_read_by_its_topics() -> None:
    evcc = {
        "evcc/loadpoints/1/vehicleSoc": "43",
        "evcc/loadpoints/1/vehicleLimitSoc": "80",
        "evcc/loadpoints/1/connected": "true",
        "evcc/loadpoints/1/charging": "false",
        "evcc/loadpoints/1/vehicleRange": "210",
        "evcc/site/batterySoc": "60",
    }
    assert propose_topics(HOUSE | evcc) == {
        "vehicle_soc": "mqtt:evcc/loadpoints/1/vehicleSoc [%]",
        "vehicle_connected": "mqtt:evcc/loadpoints/1/connected",
        "vehicle_range": "mqtt:evcc/loadpoints/1/vehicleRange [km]",
    }


def test_a_message_s_json_is_searched_too() -> None:
    payload = {"charge": {"ladestand": 43, "stecker": "on"}, "reichweite": 210.5}
    assert propose_topics({"garage/fahrzeug": json.dumps(payload)}) == {
        "vehicle_soc": "mqtt:garage/fahrzeug#charge.ladestand [%]",
        "vehicle_connected": "mqtt:garage/fahrzeug#charge.stecker",
        "vehicle_range": "mqtt:garage/fahrzeug#reichweite [km]",
    }


def test_values_that_cannot_be_meant_are_left_out() -> None:
    strange = {
        "car/soc": "full",
        "car/battery_level": "4300",
        "car/range": "-1",
        "car/plug": "3",
        "car/nested": "[" * 1000,
    }
    assert propose_topics(HOUSE | strange) == {}
