"""The kinds of components, and the price that is their sum.

A new kind is a module beside this one, listed in ``AnyComponent``.
"""

from datetime import date
from itertools import combinations
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, TypeAdapter, model_validator

from luna.energy.part import Part
from luna.energy.refusals import invalid_part
from luna.energy.tariffs.allowance import AllowanceComponent
from luna.energy.tariffs.blocks import BlockComponent
from luna.energy.tariffs.calendar import CalendarComponent
from luna.energy.tariffs.component import Component, check_apart
from luna.energy.tariffs.fixed import FixedComponent
from luna.energy.tariffs.plant_size import PlantSizeComponent
from luna.energy.tariffs.series import SeriesComponent
from luna.energy.tariffs.spot import SpotComponent

AnyComponent = Annotated[
    FixedComponent
    | CalendarComponent
    | SpotComponent
    | SeriesComponent
    | BlockComponent
    | AllowanceComponent
    | PlantSizeComponent,
    Field(discriminator="kind"),
]
COMPONENT: TypeAdapter[Component] = TypeAdapter(AnyComponent)


class ComponentLabel(NamedTuple):
    """The code of a component, and the owner's name of it where it has one."""

    code: str
    name: str | None = None


class SumOfComponents(Part):
    """A price of bought or sold energy; each kind of rule lists the components it stands for."""

    @property
    def components(self) -> tuple[AnyComponent, ...]:
        """The parts that add up to the price."""
        raise NotImplementedError

    def label(self, component: Component) -> ComponentLabel:
        """Return what a component is called: a rule of one kind has codes for its parts."""
        return ComponentLabel(component.name)

    @property
    def markets(self) -> list[str]:
        """The markets whose prices the rule needs, each once, the first named first."""
        names = [name for part in self.components for name in part.list_markets()]
        return list(dict.fromkeys(names))

    @property
    def reads_own_series(self) -> bool:
        """Whether the rule needs the site's own series."""
        return any(part.reads_own_series for part in self.components)

    @property
    def is_published(self) -> bool:
        """Whether a market or a loaded series sets the price, so that it has to become known."""
        return self.reads_own_series or bool(self.markets)

    def bounds_on(self, day: date) -> tuple[float, float] | None:
        """Return the lowest and the highest price of a local day, with tax, currency/kWh.

        None where a market or a loaded series sets it.
        """
        lowest = 0.0
        highest = 0.0
        for part in self.components:
            if not part.holds_on(day):
                continue
            if part.bounds is None:
                return None
            low, high = part.bounds
            lowest += low * (1.0 + part.vat)
            highest += high * (1.0 + part.vat)
        return lowest, highest


class ComponentsPrice(SumOfComponents):
    """A price as the sum of components; all that hold at a time add up.

    Two components of one name are one line of the bill whose price changes on a date: they may not
    hold at the same time.
    """

    kind: Literal["components"]
    parts: Annotated[
        tuple[AnyComponent, ...],
        Field(
            alias="components",
            min_length=1,
            max_length=32,
            description="all that hold at a time add up",
        ),
    ]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        check_apart(self.parts)
        blocks = [part for part in self.parts if isinstance(part, BlockComponent)]
        if any(one.overlaps(other) for one, other in combinations(blocks, 2)):
            raise invalid_part("blocks-twice")
        return self

    @property
    def components(self) -> tuple[AnyComponent, ...]:
        """The components as listed."""
        return self.parts

    def label(self, component: Component) -> ComponentLabel:
        """Return the name that the owner has given to a component."""
        return ComponentLabel("component", component.name)
