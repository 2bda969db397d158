"""Serves a simulated device as its profile's transport does."""

from contextlib import AbstractContextManager
from typing import Protocol

from luna.platform.addresses import Broker
from luna.platform.drivers.http_server import serve_documents
from luna.platform.drivers.modbus_server import ServerFaults, serve_registers
from luna.platform.drivers.mqtt_server import serve_messages
from luna.platform.drivers.profile import HttpTransport, MqttTransport
from luna.platform.drivers.simulator import SimulatedInverter

# How the topics of a simulated device begin where nobody says.
SIMULATED_PREFIX = "simulated"


class DeviceServer(Protocol):
    """A simulated device that answers at a port; over MQTT the broker's."""

    port: int
    faults: ServerFaults


def serve_device(device: SimulatedInverter, *, host: str = "127.0.0.1", port: int = 0, prefix: str = SIMULATED_PREFIX) -> AbstractContextManager[DeviceServer]:
    """Serve a device while the block runs; port 0: one that is free. Over MQTT host and port are a broker's, port 0 the profile's.

    Raises:
        UnavailableError: the port is taken, or there is no broker.
    """
    match device.profile.transport:
        case MqttTransport() as transport:
            return serve_messages(device, broker=Broker(host, port or transport.port), prefix=prefix)
        case HttpTransport():
            return serve_documents(device, host=host, port=port)
    return serve_registers(device, host=host, port=port)
