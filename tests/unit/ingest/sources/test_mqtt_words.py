"""What MQTT's messages mean: addresses, templates, descriptions, names."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from luna.energy.errors import InvalidInputError
from luna.platform.addresses import parse_broker
from services.ingest.sources.mqtt.directory import Directory, MqttMessage
from services.ingest.sources.mqtt.session_store import UNDER_WAY, Journal, Session
from services.ingest.sources.mqtt.template import decoder, parse_path, parse_template
from tests.support.suite.tables import each_row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NODE = '{"power": 5, "ENERGY": {"Power": [7, 8], "Total": 1500}, "text": "on"}'


def directory(*sensors: str, **descriptions: dict[str, object]) -> Directory:
    made = Directory("homeassistant", sensors)
    made.teach(
        {
            f"homeassistant/{place.replace('__', '/')}/config": json.dumps(description)
            for place, description in descriptions.items()
        }
    )
    return made


@each_row(
    ("template", "value"),
    [
        (None, None),
        ("{{ value_json.power }}", 5),
        ("{{value_json['ENERGY']['Power'][1]}}", 8),
        ('{{ value_json["ENERGY"].Total | float / 1000 }}', 1.5),
        ("{{ (value_json.ENERGY.Total | float(0)) * 0.001 }}", 1.5),
        ("{{ value_json.power | float | round(1) }}", 5),
        ("{{ value_json.text | is_defined }}", 1),
    ],
)
def test_the_common_templates_are_understood(template: str | None, value: float | None) -> None:
    payload = "12.5" if template is None else NODE
    assert decoder(parse_template(template))(payload) == pytest.approx(
        12.5 if value is None else value
    )


@each_row(
    "template",
    [
        "{{ states('sensor.x') }}",
        "{{ value.x }}",
        "{{ value_json.a ~ value_json.b }}",
        "5",
        "{{ value / 0 }}",
    ],
)
def test_other_templates_are_refused_and_not_guessed(template: str) -> None:
    with pytest.raises(InvalidInputError, match="value_template"):
        parse_template(template)


@each_row("payload", ["unknown", "Unavailable", "None", "nan", "inf"])
def test_what_is_not_known_is_nan(payload: str) -> None:
    assert math.isnan(decoder(parse_template("{{ value }}"))(payload) or 0)


def test_a_place_where_a_message_says_nothing_is_no_reading() -> None:
    assert decoder(parse_path("power.deep"))(NODE) is None
    assert decoder(parse_path("absent"))(NODE) is None
    assert decoder(parse_path(""))("") is None


def test_an_address_names_user_port_and_prefix_and_hides_the_password() -> None:
    broker = parse_broker("mqtts://ev%40home:pass@broker/ha", SecretStr("better"))
    assert (broker.host, broker.port, broker.user, broker.tls, broker.prefix) == (
        "broker",
        8883,
        "ev@home",
        True,
        "ha",
    )
    assert broker.password is not None
    assert broker.password.get_secret_value() == "better"
    assert "better" not in str(broker) + repr(broker)


@each_row("url", ["broker:1883", "http://broker", "mqtt://", "mqtt://broker:99999999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError, match="mqtt_url"):
        parse_broker(url)


DEVICE = {"name": "Main Meter", "ids": ["1"]}


@each_row(
    "sensor",
    [
        "abc-1",
        "sensor.grid",
        "grid",
        "sensor.main_meter_grid_import",
        "Main Meter Grid import",
        "Grid import",
    ],
)
def test_a_sensor_answers_to_every_name_its_device_gives_it(sensor: str) -> None:
    description = {
        "uniq_id": "abc-1",
        "obj_id": "grid",
        "name": "Grid import",
        "dev": DEVICE,
        "stat_t": "m/1",
    }
    assert directory(sensor, sensor__node__x=description).topics() == {"m/1"}


def test_a_name_that_two_devices_use_is_used_for_neither() -> None:
    known = directory(
        "Power",
        sensor__a={"name": "Power", "state_topic": "a"},
        sensor__b={"name": "Power", "state_topic": "b"},
    )
    assert known.topics() == set()
    assert known.missing() == ["Power"]


def test_a_device_describes_several_sensors_at_once() -> None:
    components = {
        "soc": {"p": "sensor", "uniq_id": "soc_1", "val_tpl": "{{ value_json.soc }}"},
        "b": {"p": "button", "cmd_t": "x"},
    }
    known = directory(
        "soc_1", device__battery={"dev": DEVICE, "stat_t": "battery", "cmps": components}
    )
    [reading] = known.read(MqttMessage("battery", '{"soc": 55}'), NOW)
    assert (reading.sensor, reading.value) == ("soc_1", 55)


def test_a_description_that_is_taken_back_is_forgotten() -> None:
    known = directory("grid", sensor__grid={"state_topic": "m/1"})
    known.learn(MqttMessage("homeassistant/sensor/grid/config", ""))
    assert known.topics() == set()
    assert known.needed() == {}


AVAILABILITY = [
    {"topic": "bridge", "value_template": "{{ value_json.state }}"},
    {"topic": "device"},
]


@pytest.mark.parametrize(("mode", "gone_after"), [("all", 1), ("any", 2), ("latest", 1)])
def test_several_topics_of_availability_are_weighed_as_the_device_says(
    mode: str, gone_after: int
) -> None:
    known = directory(
        "grid",
        sensor__grid={"state_topic": "m", "availability": AVAILABILITY, "availability_mode": mode},
    )
    said = [
        known.read(word, NOW)
        for word in (
            MqttMessage("bridge", '{"state": "offline"}'),
            MqttMessage("device", "offline"),
        )
    ]
    assert [bool(readings) for readings in said].index(True) + 1 == gone_after
    assert math.isnan(said[gone_after - 1][0].value)


def test_what_has_to_be_known_after_a_restart_is(tmp_path: Path) -> None:
    first = Session(tmp_path)
    first.save({"homeassistant/sensor/x/config": "{}"}, frozenset({"x"}))
    second = Session(tmp_path)
    assert (second.identifier, second.descriptions, second.topics) == (
        first.identifier,
        first.descriptions,
        first.topics,
    )


def test_a_journal_that_was_cut_off_keeps_its_whole_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write([(1, "a", NOW)])
    journal.write([(2, "b", NOW)])
    journal.close()
    path = tmp_path / "journal.txt"
    path.write_text(path.read_text()[:-5])
    again = Journal(tmp_path)
    assert (again.instant_of(1, "a"), again.instant_of(1, "other"), again.instant_of(2, "b")) == (
        NOW,
        None,
        None,
    )


def test_a_journal_keeps_no_more_than_can_come_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for start in range(0, 60 * UNDER_WAY, UNDER_WAY):
        journal.write(
            [(number % 65_535 + 1, "x", NOW) for number in range(start, start + UNDER_WAY)]
        )
    journal.close()
    assert len((tmp_path / "journal.txt").read_text().splitlines()) <= 55 * UNDER_WAY
    assert Journal(tmp_path).instant_of(60 * UNDER_WAY, "x") == NOW


def test_messages_that_come_again_drive_nobody_out_of_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.write([(number, "x", NOW) for number in range(1, UNDER_WAY + 1)])
    for _ in range(2):
        journal.write([(number, "x", NOW) for number in range(1, UNDER_WAY // 2 + 1)])
    journal.close()
    assert Journal(tmp_path).instant_of(UNDER_WAY, "x") == NOW
