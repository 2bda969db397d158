"""What the owner wants of a plan besides low cost."""

from typing import Annotated

from pydantic import Field

from luna.site.part import Part


class Objective(Part):
    """What counts beside money, each as a price; without them a plan costs as little as it can.

    Reported costs stay what is really paid: these prices only decide.
    """

    carbon_price_per_kg: Annotated[float, Field(ge=0, le=100, description="currency per kg of carbon that imported energy carries")] = 0.0
    self_sufficiency_price: Annotated[float, Field(ge=0, le=100, description="currency per imported kWh, beside what it costs")] = 0.0
    wear_factor: Annotated[float, Field(ge=0, le=100, description="how often a battery's wear counts: 0 not at all, 1 as it costs")] = 1.0
    switching_price: Annotated[
        float, Field(ge=0, le=10, description="currency per stored kWh that another mode of a battery has to gain; without it what follows from prices")
    ] = 0.0
