"""The grid connection of a site: limits and sensor roles."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from luna.energy.devices.kind import DeviceKind
from luna.energy.part import Fraction, Part, PowerKw
from luna.energy.sensor_roles import SensorRole, Sensors


class GridConnection(Part):
    """What the connection carries; without a value the plan is not limited by it."""

    import_limit_kw: Annotated[float, Field(gt=0, le=10_000)] = 10_000.0
    export_limit_kw: PowerKw = 10_000.0
    export_limit_share: Annotated[Fraction | None, Field(description="share of the PV's peak power that may be fed in; the lower of both limits holds")] = None


def _import_limit_kw(connections: Sequence[GridConnection]) -> float:
    return sum(each.import_limit_kw for each in connections)


def _export_limit_kw(connections: Sequence[GridConnection]) -> float:
    return sum(each.export_limit_kw for each in connections)


class GridSensorRoles(Part):
    """What is measured of the connection."""

    total_grid_import: Annotated[Sensors, SensorRole("energy", "import_kwh", "source", _import_limit_kw)] = ()
    total_grid_export: Annotated[Sensors, SensorRole("energy", "export_kwh", "sink", _export_limit_kw)] = ()


def _list_costly(connection: GridConnection) -> tuple[str, ...]:
    return ("import_limit_kw", *(("export_limit_kw",) if connection.export_limit_share is None else ()))


GRID = DeviceKind(
    "grid",
    "grid",
    GridConnection,
    power_kw=lambda connection: connection.import_limit_kw,
    sensors=GridSensorRoles,
    actions=frozenset({"no_import", "no_export"}),
    costly_defaults=_list_costly,
)
