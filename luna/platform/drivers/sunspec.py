"""Where the models of a SunSpec device lie. Source: SunSpec Device Information Model Specification, sections 6.2 and 6.3."""

from collections.abc import Mapping

from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse
from luna.platform.drivers.modbus import ModbusLink
from luna.platform.drivers.points import DeviceIdentity

MARK = [0x5375, 0x6E53]  # "SunS"
BASES = (40000, 0, 50000)
END = 0xFFFF
COMMON = 1
# A chain that has no end is none.
_MOST_MODELS = 64
# Of model 1, ID and length included: where each text begins, and how many registers it has.
_TEXTS = {"maker": (2, 16), "model": (18, 16), "version": (42, 8), "serial": (50, 16)}


def find_models(link: ModbusLink) -> Mapping[int, int]:
    """Return the address of each model's ID, of the first where there are several of one.

    Raises:
        UnavailableError: nobody answers, or what answers is no SunSpec device.
    """
    base = next((base for base in BASES if _is_marked(link, base)), None)
    if base is None:
        raise refuse("device-no-sunspec", field="via", value=link.place)
    found: dict[int, int] = {}
    address = base + len(MARK)
    for _ in range(_MOST_MODELS):
        model, length = link.read(address, 2)
        if model == END:
            return found
        found.setdefault(model, address)
        address += 2 + length
    raise refuse("device-no-sunspec", field="via", value=link.place)


def read_identity(link: ModbusLink, address: int) -> DeviceIdentity:
    """Return what model 1 says, which lies at ``address``.

    Raises:
        UnavailableError: nobody answers.
    """
    registers = link.read(address, 66)
    return DeviceIdentity(**{name: _text(registers[first : first + count]) for name, (first, count) in _TEXTS.items()})


def _is_marked(link: ModbusLink, base: int) -> bool:
    try:
        return link.read(base, len(MARK)) == MARK
    except UnavailableError as error:
        # Addresses that there are not are refused; nobody at all ends the search.
        if error.reason == "device-refuses":
            return False
        raise


def _text(registers: list[int]) -> str:
    return b"".join(register.to_bytes(2, "big") for register in registers).split(b"\0")[0].decode("utf-8", "replace").strip()
