"""A broker of each test's own, and a device that publishes there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home_assistant.broker import Mosquitto, Publisher


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    (tmp_path / "broker").mkdir()
    broker = Mosquitto(tmp_path / "broker")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def device(broker: Mosquitto) -> Iterator[Publisher]:
    device = Publisher(broker.port)
    yield device
    device.close()
