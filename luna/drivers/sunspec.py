"""Locates the models of a SunSpec device and reads its identity.

Source: SunSpec Device Information Model Specification, sections 6.2 and 6.3.
"""

from collections.abc import Mapping

from luna.drivers.modbus import ModbusLink
from luna.drivers.points import DeviceIdentity
from luna.drivers.profile_points import PortGroup
from luna.drivers.registers import decode_text
from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse

MARK = [0x5375, 0x6E53]  # "SunS"
BASES = (40000, 0, 50000)
END = 0xFFFF
COMMON = 1
# Ends the walk of a corrupt chain.
_MOST_MODELS = 64
# More DC ports than any inverter of a home has: a corrupt length.
_MOST_PORTS = 24
# In model 1, counted from its ID: offset and number of registers of each text.
_TEXTS = {"maker": (2, 16), "model": (18, 16), "version": (42, 8), "serial": (50, 16)}


def find_models(link: ModbusLink) -> Mapping[int, int]:
    """Return the first address of each model's ID.

    Raises:
        UnavailableError: the device does not answer, or is no SunSpec device.
    """
    base = next((base for base in BASES if _is_marked(link, base)), None)
    if base is None:
        raise refuse("device-no-sunspec", field="via", value=link.place)
    addresses: dict[int, int] = {}
    address = base + len(MARK)
    for _ in range(_MOST_MODELS):
        model, length = link.read(address, 2)
        if model == END:
            return addresses
        addresses.setdefault(model, address)
        address += 2 + length
    raise refuse("device-no-sunspec", field="via", value=link.place)


def read_identity(link: ModbusLink, address: int) -> DeviceIdentity:
    """Return the identity in model 1, whose ID is at ``address``.

    Raises:
        UnavailableError: the device does not answer.
    """
    registers = link.read(address, 66)
    texts = {
        name: decode_text(registers[first : first + count])
        for name, (first, count) in _TEXTS.items()
    }
    return DeviceIdentity(**texts)


def find_ports(link: ModbusLink, address: int, ports: PortGroup) -> list[int]:
    """Return the offsets of the wanted ports of a model from its first port.

    Their number follows from the length of the model at ``address``.

    Raises:
        UnavailableError: the device does not answer.
    """
    length = 2 + link.read(address + 1, 1)[0]
    shifts = range(0, length - ports.type_register - ports.length + 1, ports.length)
    if len(shifts) > _MOST_PORTS:
        raise refuse("device-no-sunspec", field="via", value=link.place)
    types = {shift: link.read(address + ports.type_register + shift, 1)[0] for shift in shifts}
    return [shift for shift, port_type in types.items() if port_type in ports.types]


def _is_marked(link: ModbusLink, base: int) -> bool:
    try:
        return link.read(base, len(MARK)) == MARK
    except UnavailableError as error:
        # A device refuses a base address that it lacks; without any answer the search ends.
        if error.reason == "device-refuses":
            return False
        raise
