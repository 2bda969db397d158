"""What every part of a site is made of: frozen, strict about names, with bounds on every number."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]


Fraction = Annotated[float, Field(ge=0, le=1)]


Efficiency = Annotated[float, Field(gt=0, le=1, description="share of the energy that arrives; a percentage such as 95 is refused")]


PowerKw = Annotated[float, Field(ge=0, le=10_000)]


EnergyKwh = Annotated[float, Field(gt=0, le=100_000)]


Price = Annotated[float, Field(ge=-100, le=100, description="currency per kWh")]


class Part(BaseModel):
    """A part of a site: frozen, and strict about names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)
