"""The grid connection of a site: limits and sensor roles."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from luna.energy.devices.kind import DeviceDefaults, DeviceKind
from luna.energy.part import Fraction, Name, Part, PowerKw
from luna.energy.sensor_roles import SensorRole, Sensors

# Limit of a connection without a stated one: so high that it never binds.
NO_LIMIT_KW = 10_000.0


class Circuit(Part):
    """A circuit that several chargers share, with a fuse of its own."""

    name: Name
    fuse_a: Annotated[float, Field(gt=0, le=1_000, description="amperes of its fuse, per phase")]


class OpenAdrProgram(Part):
    """A programme of the grid operator's OpenADR 3 server, whose events limit the site."""

    url: Annotated[
        str,
        Field(
            pattern=r"^https?://[^\s]+$",
            max_length=500,
            description="of the server's interface, such as https://vtn.example/openadr3",
        ),
    ]
    program: Annotated[
        str, Field(min_length=1, max_length=128, description="the programme's id there")
    ]


class Ieee2030Server(Part):
    """The grid operator's IEEE 2030.5 server, whose DER controls limit the site."""

    url: Annotated[
        str,
        Field(
            pattern=r"^https://[^\s]+$",
            max_length=500,
            description="of its device capability, such as https://utility.example/dcap",
        ),
    ]


class GridConnection(Part):
    """Limits of the grid connection.

    A site without a limit takes that of its main fuse, or of its country's usual one, and is else
    not limited.
    """

    import_limit_kw: Annotated[float, Field(gt=0, le=NO_LIMIT_KW)] = NO_LIMIT_KW
    export_limit_kw: PowerKw = NO_LIMIT_KW
    main_fuse_a: Annotated[
        float | None,
        Field(
            gt=0,
            le=1_000,
            description="amperes of the main fuse, per phase; empty: the country's usual one",
        ),
    ] = None
    main_fuse_phases: Annotated[
        Literal[1, 3] | None,
        Field(description="phases of the connection; empty: as many as are usual in the country"),
    ] = None
    circuits: Annotated[
        tuple[Circuit, ...],
        Field(max_length=16, description="that chargers share, kept by real-time control"),
    ] = ()
    openadr: Annotated[
        OpenAdrProgram | None,
        Field(description="events of the grid operator that limit the site; empty: none"),
    ] = None
    ieee2030: Annotated[
        Ieee2030Server | None,
        Field(description="IEEE 2030.5 server of the grid operator; empty: none"),
    ] = None
    export_limit_share: Annotated[
        Fraction | None,
        Field(
            description=(
                "share of the PV's peak power that may be fed in; the lower of both limits holds"
            )
        ),
    ] = None


def _import_limit_kw(connections: Sequence[GridConnection]) -> float:
    return sum(connection.import_limit_kw for connection in connections)


def _export_limit_kw(connections: Sequence[GridConnection]) -> float:
    return sum(connection.export_limit_kw for connection in connections)


class GridSensorRoles(Part):
    """Sensor roles of the grid connection."""

    total_grid_import: Annotated[
        Sensors, SensorRole("energy", "import_kwh", "source", _import_limit_kw)
    ] = ()
    total_grid_export: Annotated[
        Sensors, SensorRole("energy", "export_kwh", "sink", _export_limit_kw)
    ] = ()
    grid_phase_import: Annotated[Sensors, SensorRole("state")] = ()
    operator_limit_contact: Annotated[Sensors, SensorRole("state")] = ()
    operator_import_limit: Annotated[Sensors, SensorRole("state")] = ()
    operator_export_limit: Annotated[Sensors, SensorRole("state")] = ()


def _list_costly(connection: GridConnection) -> tuple[str, ...]:
    if connection.export_limit_share is None:
        return ("import_limit_kw", "export_limit_kw")
    return ("import_limit_kw",)


GRID = DeviceKind(
    "grid",
    "grid",
    GridConnection,
    power_kw=lambda connection: connection.import_limit_kw,
    sensors=GridSensorRoles,
    actions=frozenset({"no_import", "no_export"}),
    defaults=DeviceDefaults(costly=_list_costly),
)
