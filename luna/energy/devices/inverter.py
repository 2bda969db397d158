"""Inverters of PV arrays, a battery or both: model and checks of their connections."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Protocol

from pydantic import Field

from luna.energy.devices.kind import DeviceKind, NamedDevice
from luna.energy.part import Name
from luna.energy.refusals import invalid_part


class Inverter(NamedDevice):
    """An inverter: what passes it either way is at most ``ac_limit_kw``.

    With a battery it is a hybrid one: PV beyond the limit goes into the battery, which stands on
    the same DC side, or is lost. Without one, it is lost.
    """

    name: Name = "inverter"
    ac_limit_kw: Annotated[float, Field(gt=0, le=10_000)]
    pv: Annotated[list[Name], Field(max_length=32)] = []
    batteries: Annotated[
        list[Name],
        Field(max_length=1, description="modules that are charged as one are one battery"),
    ] = []


class _Connected(Protocol):
    @property
    def inverters(self) -> Sequence[Inverter]: ...
    @property
    def pv(self) -> Sequence[NamedDevice]: ...
    @property
    def batteries(self) -> Sequence[NamedDevice]: ...


def _check_connected(site: _Connected) -> None:
    """Refuse inverters without parts, with unknown parts or with shared ones."""
    inverters = site.inverters
    for kind, parts in (("pv", site.pv), ("batteries", site.batteries)):
        named: list[tuple[str, str]] = []
        for inverter in inverters:
            named += [(inverter.name, name) for name in getattr(inverter, kind)]
        names = {part.name for part in parts}
        counts = Counter(name for _, name in named)
        for inverter_name, name in named:
            if name not in names:
                raise invalid_part(
                    "inverter-names-stranger", inverter=inverter_name, name=name, kind=kind
                )
            if counts[name] > 1:
                raise invalid_part("behind-two-inverters", name=name)
    for inverter in inverters:
        if not inverter.pv and not inverter.batteries:
            raise invalid_part("inverter-carries-nothing", inverter=inverter.name)


INVERTER = DeviceKind(
    "inverter",
    "inverters",
    Inverter,
    power_kw=lambda inverter: inverter.ac_limit_kw,
    check=_check_connected,
)
