"""What a product was commanded, as somebody else's client reads it of the device.

Registers and names are from the makers' papers and not from Luna's profiles; the wire is a real
one.
"""

import json
import struct
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from pymodbus.client import ModbusTcpClient

from luna.drivers.device_server import serve_device
from luna.drivers.simulated_product import SimulatedProduct

VOLTAGE_KV = 0.23
PATIENCE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class OfferedPower:
    """What a charger offers the car: current per phase and number of phases."""

    current_a: float
    phases: int = 3

    @property
    def power_kw(self) -> float:
        """The power, kW."""
        return self.current_a * self.phases * VOLTAGE_KV


@dataclass(frozen=True, slots=True)
class ForcedFlow:
    """Where an inverter is to push energy: 1 into the battery, -1 out of it, 0 nowhere."""

    direction: int


SeenCommand = OfferedPower | ForcedFlow | bool


class CommandReader(Protocol):
    """Reads of a product what it was commanded."""

    def read(self) -> SeenCommand:
        """Return what the device holds."""


class DeviceLine:
    """The device's port, for Modbus and for HTTP."""

    def __init__(self, port: int, unit: int) -> None:
        self._port = port
        self._unit = unit
        self._modbus = ModbusTcpClient("127.0.0.1", port=port, timeout=PATIENCE_SECONDS)

    def registers(self, address: int, count: int) -> list[int]:
        """Return holding registers."""
        if not self._modbus.connected:
            self._modbus.connect()  # type: ignore[no-untyped-call]
        reply = self._modbus.read_holding_registers(address, count=count, device_id=self._unit)
        return list(reply.registers)

    def whole(self, address: int) -> int:
        """Return an unsigned number in two registers, the high word first."""
        high, low = self.registers(address, 2)
        return high << 16 | low

    def real(self, address: int) -> float:
        """Return a number of IEEE 754 in two registers, the high word first."""
        (number,) = struct.unpack(">f", struct.pack(">HH", *self.registers(address, 2)))
        return float(number)

    def document(self, path: str) -> Any:
        """Return a document of HTTP."""
        address = f"http://127.0.0.1:{self._port}{path}"
        with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as reply:
            return json.load(reply)

    def close(self) -> None:
        """Close the connection."""
        self._modbus.close()  # type: ignore[no-untyped-call]


def _read_keba(line: DeviceLine) -> OfferedPower:
    return OfferedPower(line.whole(1100) / 1000)


def _read_abb(line: DeviceLine) -> OfferedPower:
    return OfferedPower(line.whole(0x400E) / 1000)


def _read_alfen(line: DeviceLine) -> OfferedPower:
    return OfferedPower(line.real(1210), line.registers(1215, 1)[0])


def _read_go_e(line: DeviceLine) -> OfferedPower:
    status = line.document("/api/status?filter=car,nrg,wh,eto,amp,frc,psm,ama")
    is_off = status["frc"] == 1
    return OfferedPower(0.0 if is_off else status["amp"], 1 if status["psm"] == 1 else 3)


def _read_shelly(line: DeviceLine) -> bool:
    return bool(line.document("/rpc/Switch.GetStatus?id=0")["output"])


def _read_ac_thor(line: DeviceLine) -> bool:
    return line.registers(1000, 1)[0] > 0


def _read_goodwe(line: DeviceLine) -> ForcedFlow:
    directions = {11: 1, 12: -1}
    return ForcedFlow(directions.get(line.registers(47511, 1)[0], 0))


def _read_kostal(line: DeviceLine) -> ForcedFlow:
    low, high = line.registers(1034, 2)
    (power_w,) = struct.unpack(">f", struct.pack(">HH", high, low))
    return ForcedFlow((power_w < 0) - (power_w > 0))


def _read_deye(line: DeviceLine) -> ForcedFlow:
    if line.registers(130, 1)[0] == 1:
        return ForcedFlow(1)
    sells_first = line.registers(142, 1)[0] == 0
    has_programmes = line.registers(146, 1)[0] & 1
    return ForcedFlow(-1 if sells_first and has_programmes else 0)


def _read_solis(line: DeviceLine) -> ForcedFlow:
    directions = {1: 1, 2: -1}
    return ForcedFlow(directions.get(line.registers(43135, 1)[0], 0))


def _read_growatt_vpp(line: DeviceLine) -> ForcedFlow:
    enabled, _, percent = line.registers(30407, 3)
    if not enabled or percent == 0:
        return ForcedFlow(0)
    return ForcedFlow(1 if percent < 0x8000 else -1)


def _read_sungrow(line: DeviceLine) -> ForcedFlow:
    mode, command = line.registers(13049, 2)
    directions = {0xAA: 1, 0xBB: -1}
    return ForcedFlow(directions.get(command, 0) if mode == 2 else 0)


def _read_huawei(line: DeviceLine) -> ForcedFlow:
    directions = {1: 1, 2: -1}
    return ForcedFlow(directions.get(line.registers(47100, 1)[0], 0))


def _read_solaredge(line: DeviceLine) -> ForcedFlow:
    # 3 charges from PV and grid, 4 discharges as far as the converter can.
    directions = {3: 1, 4: -1}
    return ForcedFlow(directions.get(line.registers(0xE00D, 1)[0], 0))


# By product: what a charger offers, whether a switch is on, where an inverter pushes energy.
READERS: Mapping[str, Callable[[DeviceLine], SeenCommand]] = {
    "goodwe_et": _read_goodwe,
    "kostal_plenticore": _read_kostal,
    "deye_sg04lp3": _read_deye,
    "solis_hybrid": _read_solis,
    "growatt_tl_xh": _read_growatt_vpp,
    "sungrow_sh": _read_sungrow,
    "huawei_sun2000": _read_huawei,
    "solaredge_storedge": _read_solaredge,
    "keba_p30": _read_keba,
    "abb_terra_ac": _read_abb,
    "alfen_eve": _read_alfen,
    "go_e_charger": _read_go_e,
    "shelly_plug": _read_shelly,
    "mypv_ac_thor": _read_ac_thor,
}


class IndependentClient:
    """Reads over Modbus or HTTP what a product was commanded."""

    def __init__(self, name: str, line: DeviceLine) -> None:
        self._read = READERS[name]
        self._line = line

    def read(self) -> SeenCommand:
        """Return what the device holds."""
        return self._read(self._line)


@contextmanager
def watch_device(device: SimulatedProduct) -> Iterator[IndependentClient]:
    """Serve a device while the block runs, and yield a client of it."""
    unit = getattr(device.profile.transport, "unit", 1)
    with serve_device(device) as server:
        line = DeviceLine(server.port, unit)
        try:
            yield IndependentClient(device.profile.profile, line)
        finally:
            line.close()
