"""What tells a site's devices, by what settings and site name."""

import pytest

from luna.drivers.control.opening import open_device
from luna.drivers.write_limits import uncounted
from luna.energy.errors import InvalidInputError
from luna.energy.site.control import Control
from luna.platform.settings import Settings
from tests.support.control.inverters import describe_devices
from tests.support.suite.tables import each_row


@each_row("url", ["http://broker:1883", "broker:1883", "mqtt://", None])
def test_what_is_no_address_of_a_broker_is_refused_here_as_everywhere(url: str | None) -> None:
    with pytest.raises(InvalidInputError, match="mqtt_url"):
        open_device(
            Settings(mqtt_url=url), Control.model_validate(describe_devices("mqtt")), uncounted
        )


def test_a_home_assistant_without_a_token_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="TOKEN"):
        open_device(
            Settings(home_assistant_url="http://home:8123", home_assistant_token=None),
            Control.model_validate(describe_devices()),
            uncounted,
        )
