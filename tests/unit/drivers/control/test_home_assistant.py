"""Which service takes which entity's value, against a server that answers as Home Assistant
does.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from luna.contracts.device_template import Write
from luna.drivers.control.device import DeviceError
from luna.drivers.control.home_assistant import HomeAssistantDevice
from luna.platform.addresses import HomeAssistantAccess
from tests.support.control.inverters import MODE, TOKEN, Inverter, serve


@pytest.fixture
def inverter() -> Iterator[Inverter]:
    with serve(Inverter({MODE: "Self Use", "sensor.gone": "unavailable"})) as inverter:
        yield inverter


@pytest.fixture
def device(inverter: Inverter) -> Iterator[HomeAssistantDevice]:
    device = HomeAssistantDevice(HomeAssistantAccess(inverter.url, TOKEN))
    yield device
    device.close()


@pytest.mark.parametrize(
    ("write", "service", "data"),
    [
        pytest.param(
            Write("select.mode", "Eco", None),
            "select/select_option",
            {"option": "Eco"},
            id="select",
        ),
        pytest.param(
            Write("input_select.mode", "Eco", None),
            "input_select/select_option",
            {"option": "Eco"},
            id="input_select",
        ),
        pytest.param(
            Write("number.power", "2500", None), "number/set_value", {"value": "2500"}, id="number"
        ),
        pytest.param(Write("switch.force", "on", None), "switch/turn_on", {}, id="switch on"),
        pytest.param(Write("switch.force", "off", None), "switch/turn_off", {}, id="switch off"),
        pytest.param(Write("button.apply", "now", None), "button/press", {}, id="button"),
        pytest.param(
            Write("climate.tank", "60", None, "climate.set_temperature", "temperature"),
            "climate/set_temperature",
            {"temperature": "60"},
            id="named",
        ),
    ],
)
def test_an_entity_is_told_by_the_service_of_its_kind(
    device: HomeAssistantDevice,
    inverter: Inverter,
    write: Write,
    service: str,
    data: dict[str, Any],
) -> None:
    device.apply([write])
    assert [(called, said) for _, called, said in inverter.calls] == [
        (service, {"entity_id": write.to} | data)
    ]


def test_what_is_unavailable_or_not_there_is_not_known(device: HomeAssistantDevice) -> None:
    assert device.read([MODE, "sensor.gone", "sensor.none"]) == {MODE: "Self Use"}


def test_a_refusal_ends_the_commands_that_would_follow(
    device: HomeAssistantDevice, inverter: Inverter
) -> None:
    inverter.faults.append("refuse")
    with pytest.raises(DeviceError, match=r"number\.power"):
        device.apply([Write("number.power", "9999", None), Write(MODE, "Force Charge", MODE)])
    assert inverter.states[MODE] == "Self Use"


def test_a_token_that_is_not_accepted_is_named(inverter: Inverter) -> None:
    device = HomeAssistantDevice(HomeAssistantAccess(inverter.url, "wrong"))
    with pytest.raises(DeviceError, match="LUNA_HOME_ASSISTANT_TOKEN"):
        device.read([MODE])
    device.close()
