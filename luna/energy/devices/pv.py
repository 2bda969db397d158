"""PV arrays: model, shading, sensor roles and control."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from luna.energy.devices.commands import (
    PROFILED,
    ControlPart,
    DeviceWrite,
    Via,
    Word,
    require_modes,
)
from luna.energy.devices.kind import (
    DeviceAssumption,
    DeviceCommands,
    DeviceDefaults,
    DeviceKind,
    NamedDevice,
)
from luna.energy.part import Name, Part
from luna.energy.refusals import invalid_part
from luna.energy.sensor_roles import SensorRole, Sensors

# Degree of shading all day, or the part of the day in which the sun is blocked.
Shading = Literal["none", "some", "heavy", "morning", "midday", "evening"]
# Share of a year's yield left, rounded. Source: SolarEdge, "Performance of PV topologies under
# shaded conditions" (2013), tested by PV Evolution Labs by the procedure of NREL/TP-5200-54876:
# shaded homes usually lose 5 to 25 %; by its stated gains and recovered shares, light shade took 6
# % and heavy shade 26 %.
UNSHADED_SHARE: Mapping[Shading, float] = {"none": 1.0, "some": 0.93, "heavy": 0.75}
# Hours of local time; the sun is highest between 12:00 and 13:30.
SHADED_HOURS: Mapping[Shading, range] = {
    "morning": range(11),
    "midday": range(11, 15),
    "evening": range(15, 24),
}
# Share of diffuse light, which shading leaves. Source: DWD, global radiation in Germany: half of a
# year's is diffuse.
DIFFUSE_SHARE = 0.5


# Degrees clockwise from north.
NORTH_DEG = 0.0
SOUTH_DEG = 180.0


class PvArray(NamedDevice):
    """A PV array; ``azimuth_deg`` counts clockwise from north, 180 is south."""

    name: Name = "roof"
    peak_kw: Annotated[float, Field(gt=0, le=10_000)]
    tilt_deg: Annotated[float, Field(ge=0, le=90)] = 30.0
    azimuth_deg: Annotated[float, Field(ge=0, lt=360)] = SOUTH_DEG
    curtailable: bool = True
    shading: Annotated[
        Shading | None,
        Field(
            description=(
                "how much trees and houses take, or when, until output was measured; empty: nothing"
            )
        ),
    ] = None

    @property
    def unshaded_by_hour(self) -> tuple[float, ...]:
        """Share of the output that shading leaves, per hour of local time, 24 values."""
        shading = self.shading or "none"
        if shading in SHADED_HOURS:
            shaded = SHADED_HOURS[shading]
            return tuple(DIFFUSE_SHARE if hour in shaded else 1.0 for hour in range(24))
        return (UNSHADED_SHARE[shading],) * 24


def face_equator(arrays: Sequence[Any], *, is_southern: bool) -> list[Any]:
    """Return arrays' documents; those without an azimuth face the equator.

    ``is_southern``: they stand south of it.
    """
    azimuth_deg = NORTH_DEG if is_southern else SOUTH_DEG
    facing: list[Any] = []
    for array in arrays:
        if isinstance(array, Mapping) and "azimuth_deg" not in array:
            facing.append({**array, "azimuth_deg": azimuth_deg})
        else:
            facing.append(array)
    return facing


def _sum_peak_kw(arrays: Sequence[PvArray]) -> float:
    return sum(array.peak_kw for array in arrays)


class PvSensorRoles(Part):
    """Sensor roles of PV."""

    total_pv_production: Annotated[
        Sensors,
        SensorRole("energy", "pv_kwh", "source", _sum_peak_kw),
    ] = ()


PvMode = Literal["free", "no_export", "limit", "off"]


class PvWrite(DeviceWrite):
    """Value to write to the inverter of PV arrays.

    In ``free`` the limits are those of all arrays.
    """

    placeholders: ClassVar[tuple[str, ...]] = ("mode", "limit_kw", "limit_w", "limit_percent")

    when: tuple[PvMode, ...] = ()


class PvControl(ControlPart):
    """Control of the output of all PV arrays."""

    via: Annotated[
        Via | None,
        Field(
            description=(
                "Luna speaks to the inverter of all arrays itself: then its profile knows modes "
                "and writes"
            )
        ),
    ] = None
    modes: Annotated[
        dict[PvMode, Word],
        Field(description="what the inverter calls them; one that it does not know becomes free"),
    ] = {}
    writes: Annotated[tuple[PvWrite, ...], Field(max_length=16)] = ()

    @model_validator(mode="after")
    def _can_be_free(self) -> Self:
        if self.via is not None:
            if self.modes or self.writes:
                raise invalid_part("control-via-and-writes")
            return self
        if not self.writes:
            raise invalid_part("control-writes-missing")
        require_modes(self.modes, ("free",))
        return self

    @property
    def known_modes(self) -> frozenset[PvMode]:
        """The modes that the inverter supports; with a profile it knows only its own output."""
        return frozenset(self.modes if self.via is None else ("free", "limit", "off"))

    @property
    def place(self) -> str:
        """Target of the set-points of an inverter with a profile, among entities and topics."""
        return f"{PROFILED}pv"

    @property
    def device(self) -> None:
        """None: all arrays are controlled together."""


def _assume(array: PvArray, site: Any) -> Iterator[DeviceAssumption]:
    has_usual_tilt = array.tilt_deg == PvArray.model_fields["tilt_deg"].default
    faces_equator = array.azimuth_deg == (NORTH_DEG if site.is_southern else SOUTH_DEG)
    if has_usual_tilt and faces_equator:
        code = "facing_north" if site.is_southern else "facing"
        yield DeviceAssumption(code, {"tilt": array.tilt_deg})
    elif has_usual_tilt:
        yield DeviceAssumption("tilt", {"tilt": array.tilt_deg})
    elif faces_equator:
        yield DeviceAssumption("north" if site.is_southern else "south")
    if array.shading is None:
        yield DeviceAssumption("shading")


PV = DeviceKind(
    "pv",
    "pv",
    PvArray,
    power_kw=lambda array: array.peak_kw,
    sensors=PvSensorRoles,
    commands=DeviceCommands("pv", "pv", PvControl, get_args(PvMode), together=True),
    defaults=DeviceDefaults(assume=_assume),
)
