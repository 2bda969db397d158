"""Ask what two aims cost each other: plans along their trade-off."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from luna.contracts.message import Message, Request
from luna.contracts.plan import PlanRequest

Figure = Literal["cost", "carbon", "self_sufficiency", "wear"]


class ParetoRequest(Request):
    """Plan along the trade-off of two figures: ``plan`` says for which site, from when and what is known.

    Each plan ends at least as full as it starts, unless ``plan`` says what holds at the horizon; its own weights do not count.
    """

    task: ClassVar[str] = "planner.schedule.pareto"

    plan: PlanRequest
    figures: tuple[Figure, Figure] = ("cost", "carbon")
    points: Annotated[int, Field(ge=2, le=25, description="at most so many plans; fewer where no more differ")] = 9

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.figures[0] == self.figures[1]:
            raise ValueError("figures: name two different ones")
        return self


class ParetoWeights(Message):
    """What gives a point, in the words of a site's ``objective``."""

    carbon_price_per_kg: float
    self_sufficiency_price: float
    wear_factor: float


class ParetoPoint(Message):
    """A plan that no other beats in both figures; ``weights`` give it.

    ``cost`` is money, less what is left in the batteries at the terminal value where the request gives one.
    """

    cost: float
    carbon_g: float | None
    import_kwh: float
    self_sufficiency: float | None
    wear: float
    weights: ParetoWeights


class ParetoReply(Message):
    """The points from the best in the first figure to the best in the second.

    ``knee`` is the place of the point from which either way costs most (null for fewer than three points); ``complete`` says that no weights give another.
    """

    site: str
    currency: str
    figures: tuple[Figure, Figure]
    points: list[ParetoPoint]
    knee: int | None
    complete: bool


ParetoRequest.reply = ParetoReply
