"""Realistic files of evcc, EMHASS and Predbat become sites, and nothing in them is dropped in
silence.
"""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from luna.drivers.profiles import list_profiles
from luna.energy.site import parse_site
from luna.house.peer_import import PeerImport, PeerName, import_peer
from luna.house.peer_import.peer_file import PeerValue, parse_peer_file
from luna.words.peer_import import GROUPS, NOTES, write_import_note
from tests.support.peer_import.samples import SAMPLES, list_samples

DAY = date(2026, 1, 1)
PROFILES = list_profiles()
ALL = [(peer, path) for peer in get_args(PeerName) for path in list_samples(peer)]
IDS = [f"{peer}-{path.stem}" for peer, path in ALL]


@cache
def read(peer: PeerName, name: str) -> PeerImport:
    return import_peer(peer, (SAMPLES / peer / name).read_bytes(), profiles=PROFILES)


def list_codes(result: PeerImport, status: str) -> dict[str, str]:
    return {row.key: row.code for row in result.rows if row.status == status}


def list_leaves(path: Path) -> list[PeerValue]:
    return list(parse_peer_file(path.read_bytes()).leaves())


def test_there_are_six_samples_of_each() -> None:
    assert {peer: len(list_samples(peer)) >= 6 for peer in get_args(PeerName)} == dict.fromkeys(
        get_args(PeerName), True
    )


@pytest.mark.parametrize(("peer", "path"), ALL, ids=IDS)
def test_each_value_of_a_sample_has_a_row(peer: PeerName, path: Path) -> None:
    keys = {row.key for row in read(peer, path.name).rows if row.key}

    def is_told(key: str) -> bool:
        parts = key.split(".")
        return any(".".join(parts[:count]) in keys for count in range(1, len(parts) + 1))

    assert [leaf.key for leaf in list_leaves(path) if not is_told(leaf.key)] == []


@pytest.mark.parametrize(("peer", "path"), ALL, ids=IDS)
def test_a_sample_becomes_a_site_that_its_document_says(peer: PeerName, path: Path) -> None:
    result = read(peer, path.name)
    assert parse_site(dict(result.document)) == result.site


@pytest.mark.parametrize(("peer", "path"), ALL, ids=IDS)
def test_no_secret_leaves_the_file(peer: PeerName, path: Path) -> None:
    result = read(peer, path.name)
    written = f"{result.text}{result.rows}"
    secret_texts = (
        "secret-",
        "-secret",
        "WVGZZZE2",
        "someone@example.org",
        "A-1234ABCD",
        "sponsor",
    )
    # A key may be called so; its value may not stand there.
    lowered = written.replace("sponsortoken", "")
    assert [text for text in secret_texts if text in lowered] == []
    assert "pass-in-address" not in written


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_each_row_can_be_told(language: Any) -> None:
    for peer, path in ALL:
        for row in read(peer, path.name).rows:
            assert row.code in NOTES
            assert row.status in GROUPS
            assert write_import_note(row.code, row.figures, language)


def test_a_hybrid_inverter_of_evcc_is_read_and_commanded() -> None:
    site = read("evcc", "germany_hybrid.yaml").site
    assert (site.called, site.timezone, site.currency) == ("Haus am Hang", "Europe/Berlin", "EUR")
    battery = site.batteries[0]
    assert (battery.capacity_kwh, battery.min_soc, battery.max_soc) == (10.2, 0.12, 0.95)
    # Watts there, kilowatts here.
    assert (battery.charge_limit_kw, battery.discharge_limit_kw) == (5.0, 4.6)
    assert site.control is not None
    assert site.control.vias["speicher"].address == "192.168.20.10:502/3"
    sensors = site.sensor_names
    assert sensors["profile:sma_hybrid@192.168.20.10:502/3#soc"] == "battery_soc"
    car = site.vehicles[0]
    # 3 phases of 16 A at 230 V.
    assert (car.name, car.capacity_kwh, car.charge_limit_kw) == ("ID.4", 77.0, 11.04)
    assert car.charger is not None
    assert car.charger.phases == (1, 3)


def test_zones_of_evcc_are_bands_of_the_price() -> None:
    rule = read("evcc", "germany_hybrid.yaml").site.tariff.model_dump(by_alias=True)["import"]
    bands = [(band["from"], band["to"], band["days"], band["price"]) for band in rule["bands"]]
    assert rule["default"] == 0.339
    assert bands == [("02:00", "05:00", "weekday", 0.259), ("00:00", "24:00", "weekend", 0.299)]


def test_roofs_and_market_of_evcc_say_where_a_home_is() -> None:
    site = read("evcc", "austria_spot.yaml").site
    # evcc counts from south, 90 is west.
    assert [(roof.peak_kw, roof.azimuth_deg) for roof in site.pv] == [(6.4, 180.0), (3.2, 270.0)]
    assert (site.timezone, site.country) == ("Europe/Vienna", "AT")
    assert site.tariff.markets == ["AT"]
    assert (site.grid.main_fuse_a, site.grid.import_limit_kw) == (35.0, 24.0)
    assert site.vehicles[0].charger is not None
    assert site.vehicles[0].charger.circuit == "garage"


def test_a_charger_with_a_profile_is_commanded() -> None:
    site = read("evcc", "austria_spot.yaml").site
    assert site.control is not None
    control = site.control.vehicles[0]
    assert control.via is not None
    assert (control.vehicle, control.via.profile, control.via.host) == (
        "Zoe",
        "keba_p30",
        "10.0.0.40",
    )


def test_a_charger_without_a_profile_is_told_by_its_product() -> None:
    told = list_codes(read("evcc", "denmark_zones.yaml"), "not_understood")
    assert told["chargers.0.template"] == "not_driven"


def test_charges_by_the_clock_are_a_component_beside_the_market() -> None:
    tariff = read("evcc", "denmark_zones.yaml").site.tariff
    components = tariff.import_.components
    assert tariff.import_.markets == ["DK1"]
    assert [component.vat for component in components] == [0.25, 0.25]
    assert components[1].bounds == (0.9, 1.4)


def test_a_meter_of_both_directions_is_not_taken_for_one() -> None:
    result = read("evcc", "britain_octopus.yaml")
    assert list_codes(result, "not_understood")["meters.0.power"] == "both_ways"
    assert result.site.input_sensors.total_grid_import == ()
    assert result.site.tariff.markets == ["GB-AGILE-L"]


def test_a_state_of_evcc_is_read_as_well() -> None:
    site = read("evcc", "state.json").site
    assert (site.batteries[0].capacity_kwh, site.vehicles[0].capacity_kwh) == (10.24, 32.3)
    assert site.tariff.export.bounds_on(DAY) == (0.079, 0.079)


def test_present_and_old_names_of_emhass_mean_the_same() -> None:
    present = read("emhass", "france_addon.json").site
    old = read("emhass", "germany_old.yaml").site
    assert (present.batteries[0].capacity_kwh, present.batteries[0].charge_limit_kw) == (5.0, 1.0)
    assert (old.batteries[0].capacity_kwh, old.batteries[0].charge_limit_kw) == (10.0, 4.5)
    # 16 modules of 295 W; 10 and 8 modules of 400 W.
    assert [roof.peak_kw for roof in present.pv] == [4.72]
    assert [(roof.peak_kw, roof.azimuth_deg) for roof in old.pv] == [(4.0, 90.0), (3.2, 270.0)]
    assert (present.country, present.grid.import_limit_kw) == ("FR", 9.0)
    assert old.grid.import_limit_kw == 17.0
    # A house sensor that counts down is taken off.
    assert old.input_sensors.total_load_consumption == ("-sensor.hausverbrauch",)


def test_loads_of_emhass_become_energy_a_day_and_programmes() -> None:
    loads = {load.name: load for load in read("emhass", "france_addon.json").site.loads}
    assert (loads["load"].energy_kwh_per_day, loads["load"].min_on_minutes) == (15.0, 300)
    assert loads["load 2"].energy_kwh_per_day == 6.0
    told = list_codes(read("emhass", "france_addon.json"), "not_understood")
    assert told["set_deferrable_startup_penalty.1"] == "start_penalty"
    assert told["start_timesteps_of_each_deferrable_load.1"] == "relative_window"
    ireland = {
        load.name: load for load in read("emhass", "ireland_self_consumption.yaml").site.loads
    }
    assert ireland["programme"].profile_kw == [0.3, 1.9, 0.2, 0.1]


def test_wrong_types_are_told_and_the_rest_is_taken() -> None:
    result = read("emhass", "wrong_types.yaml")
    told = list_codes(result, "not_understood")
    assert told["battery_charge_power_max"] == "no_number"
    assert told["battery_charge_efficiency"] == "out_of_bounds"
    assert told["hass_url"] == "elsewhere"
    assert list_codes(result, "secret")["long_lived_token"] == "secret"
    assert result.site.batteries[0].discharge_limit_kw == 4.0


def test_a_battery_of_predbat_with_inverter_and_rates() -> None:
    site = read("predbat", "britain_go_rates.yaml").site
    assert (site.batteries[0].capacity_kwh, site.batteries[0].charge_limit_kw) == (13.5, 5.0)
    assert site.inverters[0].ac_limit_kw == 5.0
    # Pence there, pounds here.
    assert site.tariff.import_.bounds_on(DAY) == (0.085, 0.2703)
    assert site.tariff.base[0].price == 0.532
    assert site.input_sensors.total_grid_import == ("sensor.grid_import_today",)


def test_later_rates_of_predbat_hold_over_earlier_ones() -> None:
    rule = read("predbat", "ireland.yaml").site.tariff.model_dump(by_alias=True)["import"]
    assert [band["price"] for band in rule["bands"]] == [0.182, 0.0943]
    # 0 is north there, -90 east, 90 west.
    roofs = read("predbat", "ireland.yaml").site.pv
    assert [roof.azimuth_deg for roof in roofs] == [225.0, 45.0]


def test_a_name_of_a_predbat_sensor_is_put_together() -> None:
    site = read("predbat", "britain_givenergy.yaml").site
    sensor = "sensor.givtcp_sa1234g567_load_energy_today_kwh"
    assert site.input_sensors.total_load_consumption == (sensor,)
    assert site.tariff.markets == ["GB-AGILE-C"]
    assert site.vehicles[0].charge_limit_kw == 7.4


def test_a_sum_of_some_sensors_is_not_taken() -> None:
    result = read("predbat", "britain_two_inverters.yaml")
    told = list_codes(result, "not_understood")
    assert told["pred_bat.pv_today.0"] == "pattern"
    assert told["pred_bat.pv_today.1"] == "role_incomplete"
    assert result.site.input_sensors.total_pv_production == ()
    assert [battery.capacity_kwh for battery in result.site.batteries] == [9.025, 5.2]
