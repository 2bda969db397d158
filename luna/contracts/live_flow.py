"""The present powers of a site, as meters and devices report them."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.energy.timeline import Instant

# Older values are not called live.
LIVE_FOR = timedelta(minutes=1)


class LiveFlow(Message):
    """Mean powers of one moment, kW, each direction by itself and never negative.

    Invariants: load + submetered + export + charge = import + pv + discharge, unless the meters
    contradict each other; then ``load_kw`` is 0.
    """

    at: Annotated[Instant, Field(description="when the oldest of the values was read")]
    import_kw: float
    export_kw: float
    pv_kw: float
    charge_kw: float
    discharge_kw: float
    load_kw: Annotated[float, Field(description="what the house uses, less what is submetered")]
    submetered_kw: Annotated[dict[str, float], Field(description="by series")] = {}
    batteries_kw: Annotated[
        dict[str, float],
        Field(
            description=(
                "of each battery, positive while it charges; empty where only the sum is known"
            )
        ),
    ] = {}
    battery_socs: Annotated[
        dict[str, float], Field(description="of each battery that has a sensor of its own")
    ] = {}
    soc: Annotated[float | None, Field(description="of all batteries together")] = None
    phases_kw: Annotated[
        list[float],
        Field(
            max_length=3,
            description=(
                "import of each phase of the connection, negative for export; empty where it is "
                "not measured"
            ),
        ),
    ] = []
