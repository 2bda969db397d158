"""The usual main fuse of a country's homes.

It is what a grid connection is taken to carry until its owner says it.

Sources: as named for each country, from memory of these rules and not looked up again; where none
is named it is the smallest usual connection of three phases. A fuse that is too small costs a
little comfort; one that is too large trips.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from luna.energy.devices.grid import NO_LIMIT_KW
from luna.energy.site.countries import COUNTRIES

VOLTAGE_V = 230.0
Phases = Literal[1, 3]


class MainFuse(NamedTuple):
    """A main fuse: amperes per phase, and the number of phases."""

    ampere: float
    phases: Phases

    @property
    def kw(self) -> float:
        """The power that it carries, kW."""
        return fuse_kw(self.ampere, self.phases)


_SMALLEST_OF_THREE_PHASES = MainFuse(25, 3)
_USUAL: Mapping[str, MainFuse] = {
    "AU": MainFuse(63, 1),  # the smallest of the states' service and installation rules
    "BE": MainFuse(40, 1),  # 9.2 kVA, the standard connection of Fluvius, ORES and Sibelga
    "CA": MainFuse(100, 1),  # CSA C22.1, rule 8-200: the least of a house above 80 m²
    # VDE-AR-N 4100 with the operators' technical rules: 35 A before the meter
    "DE": MainFuse(35, 3),
    "ES": MainFuse(25, 1),  # REBT, ITC-BT-10: basic electrification, 5.75 kW
    "FR": MainFuse(30, 1),  # 6 kVA, the most frequent subscription (CRE)
    "GB": MainFuse(80, 1),  # cut-outs of 60 to 100 A (Energy Networks Association)
    "GR": MainFuse(35, 1),  # supply number 1 of HEDNO, 8 kVA
    "HU": MainFuse(32, 1),  # the share that is free of a connection fee
    "IE": MainFuse(50, 1),  # 12 kVA, the standard of ESB Networks
    "IT": MainFuse(15, 1),  # contracts of 3 kW, of which 3.3 kW may be drawn (ARERA)
    "LU": MainFuse(40, 3),  # Creos, standard connection of a house
    "NO": MainFuse(35, 3),  # 63 A of 230 V between phases, 25 kW, in amperes at 400 V
    "NZ": MainFuse(60, 1),  # 15 kVA, the standard capacity of the networks' tariffs
    "PT": MainFuse(30, 1),  # 6.9 kVA (ERSE)
    "RO": MainFuse(32, 1),
    "SE": MainFuse(20, 3),  # type customer of Energimarknadsinspektionen
    "US": MainFuse(100, 1),  # NEC 230.79: the least of a house, at 240 V between two legs
    "ZA": MainFuse(60, 1),  # Eskom Homepower, the standard connection of a house
}


def fuse_kw(ampere: float, phases: int) -> float:
    """Return what a main fuse carries, kW: amperes of each phase at 230 V."""
    return round(ampere * phases * VOLTAGE_V / 1000.0, 3)


def usual_fuse(country: str | None) -> MainFuse | None:
    """Return the usual main fuse of a country, or None for an unknown one."""
    if country is None or country not in COUNTRIES:
        return None
    return _USUAL.get(country, _SMALLEST_OF_THREE_PHASES)


def assume_connection(grid: Mapping[str, Any], country: str | None) -> dict[str, Any]:
    """Return a connection's document with an assumed import limit.

    Where nobody states the limit, it follows from the fuse, or from the country's usual one.

    Invariants: a stated limit stays; without fuse and country nothing is assumed.
    """
    document = dict(grid)
    limit = document.get("import_limit_kw")
    ampere = document.get("main_fuse_a")
    if limit is not None and limit != NO_LIMIT_KW:
        return document
    usual = usual_fuse(country)
    phases = document.get("main_fuse_phases") or (usual.phases if usual else 1)
    if isinstance(ampere, int | float) and isinstance(phases, int):
        return document | {"import_limit_kw": fuse_kw(ampere, phases)}
    return document if usual is None else document | {"import_limit_kw": usual.kw}
