"""Which of Home Assistant's sensors may be meant for what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.pages.setup.home_assistant import (
    Lookup,
    find_source,
    guess_command,
    guess_sensor,
    offer_commands,
    offer_sensors,
    read_commands,
    read_dashboard,
    read_sensors,
    roles_for,
)


def state(entity: str, name: str, unit: str, *, counts: bool = True) -> dict[str, object]:
    attributes = {"friendly_name": name, "unit_of_measurement": unit} | (
        {"state_class": "total_increasing"} if counts else {}
    )
    return {"entity_id": entity, "state": "1", "attributes": attributes}


HOME = read_sensors(
    [
        state("sensor.house_energy", "House energy", "kWh"),
        state("sensor.house_power", "House power", "W", counts=False),
        state("sensor.grid_import", "Netzbezug", "kWh"),
        state("sensor.grid_export", "Einspeisung Netz", "kWh"),
        state("sensor.solar_yield", "Solarertrag", "kWh"),
        state("sensor.pv_forecast_today", "PV forecast today", "kWh"),
        state("sensor.speicher_geladen", "Speicher geladen", "kWh"),
        state("sensor.speicher_entladen", "Speicher entladen", "kWh"),
        state("sensor.speicher_soc", "Speicher Ladezustand", "%", counts=False),
        state("sensor.phone_battery", "Phone battery", "%", counts=False),
        state("sensor.wallbox_energy", "Wallbox", "kWh"),
        state("light.kitchen", "Kitchen", "kWh"),
    ]
)


def test_counters_are_guessed_by_their_names_in_either_language() -> None:
    guessed = {
        role: guess_sensor(role, Lookup(sensors=HOME))
        for role in roles_for({"pv": [1], "batteries": [1], "vehicles": [1], "loads": [1]})
    }
    assert guessed == {
        "total_load_consumption": "sensor.house_energy",
        "total_grid_import": "sensor.grid_import",
        "total_grid_export": "sensor.grid_export",
        "total_pv_production": "sensor.solar_yield",
        "total_battery_charge": "sensor.speicher_geladen",
        "total_battery_discharge": "sensor.speicher_entladen",
        "battery_soc": "sensor.speicher_soc",
        "vehicle_consumption": "sensor.wallbox_energy",
        "water_heater_consumption": "",
        # The store's level is not the car's.
        "vehicle_soc": "",
        "vehicle_connected": "",
        "vehicle_range": "",
    }


def test_class_and_state_class_tell_sensors_of_the_same_unit_and_name_apart() -> None:
    home = read_sensors(
        [
            classed("sensor.house_humidity", "%", "humidity", "measurement"),
            classed("sensor.speicher_energy", "kWh", "energy_storage", "measurement"),
            classed("sensor.speicher_a", "%", "", "measurement"),
            classed("sensor.speicher_b", "%", "battery", "measurement"),
            classed("sensor.pv_a_of_the_day", "kWh", "energy", ""),
            classed("sensor.pv_b", "W", "power", "measurement"),
            classed("sensor.pv_c", "kWh", "energy", "total_increasing"),
        ]
    )
    assert {"sensor.house_humidity", "sensor.speicher_energy"} & {
        sensor.entity for sensor in home
    } == set()
    assert [sensor.entity for sensor in offer_sensors("battery_soc", home)] == [
        "sensor.speicher_b",
        "sensor.speicher_a",
    ]
    assert guess_sensor("total_pv_production", Lookup(sensors=home)) == "sensor.pv_c"


def classed(entity: str, unit: str, device_class: str, state_class: str) -> dict[str, object]:
    attributes = {
        "friendly_name": entity,
        "unit_of_measurement": unit,
        "device_class": device_class,
        "state_class": state_class,
    }
    return {
        "entity_id": entity,
        "state": "1",
        "attributes": {name: text for name, text in attributes.items() if text},
    }


def test_only_sensors_whose_unit_can_be_meant_are_offered() -> None:
    assert {sensor.unit for sensor in offer_sensors("battery_soc", HOME)} == {"%"}
    assert "sensor.speicher_soc" not in {
        sensor.entity for sensor in offer_sensors("total_load_consumption", HOME)
    }
    assert "light.kitchen" not in {sensor.entity for sensor in HOME}


@pytest.mark.parametrize(
    "grid",
    [
        {
            "flow_from": [{"stat_energy_from": "sensor.t1"}, {"stat_energy_from": "sensor.t2"}],
            "flow_to": [{"stat_energy_to": "sensor.back"}],
        },
        {
            "stat_energy_from": "sensor.t1",
            "stat_energy_to": "sensor.back",
            "flow_from": [{"stat_energy_from": "sensor.t2"}],
        },
    ],
    ids=["lists of flows", "statistics of its own"],
)
def test_what_the_energy_dashboard_has_goes_before_what_names_sound_like(
    grid: dict[str, object],
) -> None:
    dashboard, devices = read_dashboard(
        {
            "energy_sources": [
                {"type": "grid", **grid},
                {"type": "solar", "stat_energy_from": "sensor.inverter_7"},
                {
                    "type": "battery",
                    "stat_energy_from": "sensor.speicher_geladen",
                    "stat_energy_to": "sensor.in",
                },
                {"type": "gas", "stat_energy_from": "sensor.gas"},
                {"type": "grid", "stat_energy_from": "supplier:of_outside"},
            ],
            "device_consumption": [
                {"stat_consumption": "sensor.plug_3", "name": "Wallbox"},
                {"stat_consumption": "sensor.house_energy"},
            ],
        }
    )
    found = Lookup(sensors=HOME, dashboard=dashboard, devices=devices)
    guessed = {
        role: guess_sensor(role, found)
        for role in roles_for({"pv": [1], "batteries": [1], "vehicles": [1]})
    }
    assert guessed == {
        # A meter of a device is not the house's.
        "total_load_consumption": "sensor.house_power",
        "total_grid_import": "sensor.t1,sensor.t2",
        "total_grid_export": "sensor.back",
        "total_pv_production": "sensor.inverter_7",
        # As the house sees it: from the battery is out of it, whatever its sensor is called.
        "total_battery_discharge": "sensor.speicher_geladen",
        "total_battery_charge": "sensor.in",
        "battery_soc": "sensor.speicher_soc",
        "vehicle_consumption": "sensor.plug_3",
        "vehicle_soc": "",
        "vehicle_connected": "",
        "vehicle_range": "",
    }


# Entities as the integrations name them: level, plug, range; "" where there is none with a number.
CARS = {
    "ID.4 (English)": (
        ("sensor.id_4_battery_level", "ID.4 Battery level"),
        ("binary_sensor.id_4_charging_cable_connected", "ID.4 Charging cable connected"),
        ("sensor.id_4_electric_range", "ID.4 Electric range"),
    ),
    "Enyaq (German)": (
        ("sensor.skoda_enyaq_batterieladung", "Skoda Enyaq Batterieladung"),
        ("binary_sensor.skoda_enyaq_ladekabel", "Skoda Enyaq Ladekabel verbunden"),
        ("sensor.skoda_enyaq_reichweite", "Skoda Enyaq Reichweite"),
    ),
    "Cupra Born": (
        ("sensor.cupra_born_state_of_charge", "CUPRA Born State of charge"),
        ("binary_sensor.cupra_born_charging_cable", "CUPRA Born Charging cable connected"),
        ("sensor.cupra_born_range_in_kilometers", "CUPRA Born Range in kilometers"),
    ),
    "Tesla": (
        ("sensor.model_y_battery_level", "Model Y Battery level"),
        ("binary_sensor.model_y_charge_cable", "Model Y Charge cable"),
        ("sensor.model_y_battery_range", "Model Y Battery range"),
    ),
    "BMW": (
        ("sensor.i4_edrive40_remaining_battery_percent", "i4 eDrive40 Remaining battery percent"),
        ("binary_sensor.i4_edrive40_connection_status", "i4 eDrive40 Connection status"),
        ("sensor.i4_edrive40_remaining_range_electric", "i4 eDrive40 Remaining range electric"),
    ),
    "Ioniq": (
        ("sensor.ioniq_5_ev_battery_level", "IONIQ 5 EV Battery Level"),
        ("binary_sensor.ioniq_5_ev_battery_plug", "IONIQ 5 EV Battery Plug"),
        ("sensor.ioniq_5_ev_range", "IONIQ 5 EV Range"),
    ),
    "Kia (Dutch)": (
        ("sensor.ev6_batterijniveau", "EV6 Batterijniveau"),
        ("binary_sensor.ev6_stekker", "EV6 Stekker"),
        ("sensor.ev6_actieradius", "EV6 Actieradius"),
    ),
    "Zoe (German)": (
        ("sensor.zoe_batterie", "Zoe Batterie"),
        ("binary_sensor.zoe_plug", "Zoe Eingesteckt"),
        ("sensor.zoe_battery_autonomy", "Zoe Batterieautonomie"),
    ),
    "Polestar": (
        ("sensor.polestar_1234_battery_charge_level", "Polestar 1234 Battery charge level"),
        ("binary_sensor.polestar_1234_charger_connected", "Polestar 1234 Charger connected"),
        ("sensor.polestar_1234_estimated_range", "Polestar 1234 Estimated range"),
    ),
    "Volvo (Dutch)": (
        ("sensor.volvo_ex30_batterij", "Volvo EX30 Batterij"),
        ("binary_sensor.volvo_ex30_kabel", "Volvo EX30 Laadkabel aangesloten"),
        ("sensor.volvo_ex30_actieradius", "Volvo EX30 Actieradius op batterij"),
    ),
    "Mercedes": (
        ("sensor.eqb_state_of_charge", "EQB State of charge"),
        ("binary_sensor.eqb_charging_cable", "EQB Ladekabel angeschlossen"),
        ("sensor.eqb_range_electric", "EQB Range electric"),
    ),
}


def entity(name: str, friendly: str, unit: str = "", device_class: str = "") -> dict[str, object]:
    attributes = {"friendly_name": friendly}
    if unit:
        attributes["unit_of_measurement"] = unit
    if device_class:
        attributes["device_class"] = device_class
    return {"entity_id": name, "state": "1", "attributes": attributes}


# What stands in the same home, and must not be taken for a car's.
BESIDE_THE_CAR = [
    entity("sensor.speicher_ladestand", "Speicher Ladestand", "%", "battery"),
    entity("sensor.byd_battery_soc", "BYD Battery SoC", "%", "battery"),
    entity("sensor.tesla_powerwall_charge", "Tesla Powerwall Charge", "%", "battery"),
    entity("sensor.car_key_battery", "Car key battery", "%", "battery"),
    entity("sensor.annas_phone_battery", "Anna's phone battery", "%", "battery"),
    entity("binary_sensor.smart_plug_desk", "Smart plug desk", device_class="plug"),
    entity("binary_sensor.wallbox_online", "Wallbox online", device_class="connectivity"),
    entity("binary_sensor.car_door_lock", "Car door lock", device_class="lock"),
    entity("binary_sensor.car_bluetooth", "Car Bluetooth connected", device_class="connectivity"),
    entity("sensor.car_odometer", "Car odometer", "km", "distance"),
    entity("sensor.anna_distance_home", "Anna distance to home", "km", "distance"),
    entity("sensor.car_service_range", "Car service range", "km", "distance"),
]


@pytest.mark.parametrize("names", CARS.values(), ids=CARS)
def test_a_car_s_level_plug_and_range_are_guessed_as_its_integration_names_them(
    names: tuple[tuple[str, str], ...],
) -> None:
    level, plug, distance = names
    home = read_sensors(
        [
            *BESIDE_THE_CAR,
            entity(*level, "%", "battery"),
            entity(*plug, device_class="plug"),
            entity(*distance, "km", "distance"),
        ]
    )
    found = Lookup(sensors=home)
    roles = ("vehicle_soc", "vehicle_connected", "vehicle_range")
    guessed = [guess_sensor(role, found) for role in roles]
    assert guessed == [level[0], plug[0], distance[0]]
    assert guess_sensor("battery_soc", found) != level[0]
    assert [find_source(role, found) for role in roles] == ["name"] * 3


def test_without_a_car_nothing_beside_it_is_taken_for_one() -> None:
    found = Lookup(sensors=read_sensors(BESIDE_THE_CAR))
    roles = ("vehicle_soc", "vehicle_connected", "vehicle_range")
    assert [guess_sensor(role, found) for role in roles] == ["", "", ""]
    assert find_source("vehicle_soc", found) is None


def test_a_battery_s_mode_and_power_are_guessed_among_what_takes_values() -> None:
    commands = read_commands(
        [
            command("select.wallbox_mode", "Wallbox mode", options=["on", "pv"]),
            command(
                "select.inverter_work_mode",
                "Inverter work mode",
                options=["Self Use", "Force Charge", "Force Discharge", "Standby"],
            ),
            command("number.inverter_force_power", "Inverter force charge power", unit="W"),
            command("number.inverter_max_soc", "Inverter charge to SoC max", unit="%"),
            command("number.volume", "Volume", unit="dB"),
            command("light.kitchen", "Kitchen"),
        ]
    )
    guessed = {
        asked: found.entity
        for asked in ("mode_place", "power_place", "target_place")
        if (found := guess_command(asked, commands))
    }
    assert guessed == {
        "mode_place": "select.inverter_work_mode",
        "power_place": "number.inverter_force_power",
        "target_place": "number.inverter_max_soc",
    }
    assert [each.entity for each in offer_commands("power_place", commands)] == [
        "number.inverter_force_power"
    ]


def command(
    entity: str, name: str, *, unit: str = "", options: list[str] | None = None
) -> dict[str, object]:
    return {
        "entity_id": entity,
        "state": "x",
        "attributes": {"friendly_name": name}
        | ({"unit_of_measurement": unit} if unit else {})
        | ({"options": options} if options else {}),
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=9,
    )
)
def test_whatever_home_assistant_answers_is_read_without_an_error(answer: object) -> None:
    assert read_sensors(answer) == ()
    assert read_commands(answer) == ()
    assert read_dashboard(answer) == ({}, {})
