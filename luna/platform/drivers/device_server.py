"""Serves a simulated device as its profile's transport does."""

from contextlib import AbstractContextManager
from typing import Protocol

from luna.platform.drivers.http_server import serve_documents
from luna.platform.drivers.modbus_server import ServerFaults, serve_registers
from luna.platform.drivers.profile import HttpTransport
from luna.platform.drivers.simulator import SimulatedInverter


class DeviceServer(Protocol):
    """A simulated device that answers at a port."""

    port: int
    faults: ServerFaults


def serve_device(device: SimulatedInverter, *, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[DeviceServer]:
    """Serve a device while the block runs; port 0: one that is free.

    Raises:
        UnavailableError: the port is taken.
    """
    return (serve_documents if isinstance(device.profile.transport, HttpTransport) else serve_registers)(device, host=host, port=port)
