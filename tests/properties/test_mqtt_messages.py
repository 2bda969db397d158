"""Whatever a device publishes, Luna reads on."""

import json
import math
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.mqtt.directory import Directory, MqttMessage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
# Two keys of each kind that a description has, among anything else.
KEYS = st.sampled_from(
    [
        "~",
        "stat_t",
        "state_topic",
        "val_tpl",
        "uniq_id",
        "name",
        "dev",
        "avty",
        "avty_t",
        "avty_mode",
        "avty_tpl",
        "cmps",
        "p",
        "pl_on",
        "t",
        "value",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["~/x", "m/t", "sensor", "{{ value_json.value }}", "{{ value }}", "grid", "offline"]
    ),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.just(10**400), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(KEYS, st.text(max_size=4)), inner, max_size=5),
    ),
    max_leaves=20,
)
PLACES = st.sampled_from(["sensor/grid", "binary_sensor/a/grid", "device/x", "switch/grid"])


@given(
    place=PLACES,
    description=st.one_of(st.text(), JSON.map(json.dumps)),
    payloads=st.lists(st.one_of(TEXTS, JSON.map(json.dumps)), max_size=5),
)
def test_no_message_stops_the_listener_and_what_is_read_is_a_number_or_unknown(
    place: str, description: str, payloads: list[str]
) -> None:
    known = Directory(
        "homeassistant", ["grid", "mqtt:m/t", "mqtt:m/t#value.0", "mqtt:", "mqtt:a/+"]
    )
    known.learn(MqttMessage(f"homeassistant/{place}/config", description))
    read = [
        reading
        for topic in known.topics()
        for payload in payloads
        for reading in known.read(MqttMessage(topic, payload), NOW)
    ]
    assert all(math.isfinite(reading.value) or math.isnan(reading.value) for reading in read)
    assert {reading.sensor for reading in read} <= {"grid", "mqtt:m/t", "mqtt:m/t#value.0"}


@given(
    description=st.fixed_dictionaries(
        {"stat_t": st.just("m"), "uniq_id": st.just("grid")},
        optional={"val_tpl": TEXTS, "avty": JSON, "dev": JSON, "name": JSON},
    )
)
def test_what_was_learned_is_learned_again_from_what_was_kept(description: dict[str, Any]) -> None:
    first = Directory("homeassistant", ["grid"])
    second = Directory("homeassistant", ["grid"])
    first.learn(MqttMessage("homeassistant/sensor/grid/config", json.dumps(description)))
    second.teach(first.needed())
    assert second.topics() == first.topics()
