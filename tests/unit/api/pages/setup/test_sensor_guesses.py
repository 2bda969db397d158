"""Which of Home Assistant's sensors may be meant for what."""

from hypothesis import given
from hypothesis import strategies as st

from services.api.pages.setup.home_assistant import guess_sensor, offer_sensors, read_sensors, roles_for


def state(entity: str, name: str, unit: str, *, counts: bool = True) -> dict[str, object]:
    attributes = {"friendly_name": name, "unit_of_measurement": unit} | ({"state_class": "total_increasing"} if counts else {})
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
    guessed = {role: guess_sensor(role, HOME) for role in roles_for({"pv": [1], "batteries": [1], "vehicles": [1], "loads": [1]})}
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
    }


def test_only_sensors_whose_unit_can_be_meant_are_offered() -> None:
    assert {sensor.unit for sensor in offer_sensors("battery_soc", HOME)} == {"%"}
    assert "sensor.speicher_soc" not in {sensor.entity for sensor in offer_sensors("total_load_consumption", HOME)}
    assert "light.kitchen" not in {sensor.entity for sensor in HOME}


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner), max_leaves=9))
def test_whatever_home_assistant_answers_is_read_without_an_error(answer: object) -> None:
    assert read_sensors(answer) == ()
