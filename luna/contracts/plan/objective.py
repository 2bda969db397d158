"""What counted in a plan beside money, and what that cost."""

from typing import Literal

from luna.contracts.message import Message

ObjectiveReason = Literal["no_carbon_intensity", "switching_not_heeded"]


class CheapestReply(Message):
    """What the weights made of the plan, compared with the cheapest one: ``cost`` more, ``carbon_g`` and ``import_kwh`` less.

    ``cost`` is money, less what is left in the batteries at the terminal value.
    """

    cost: float
    carbon_g: float | None
    import_kwh: float


class ObjectiveReply(Message):
    """The prices that a plan was made by beside what is paid. ``beside_cheapest`` is null where it was not asked for and takes long.

    ``reasons`` say what could not be weighed: ``no_carbon_intensity``, ``switching_not_heeded`` (the ways of slots are fixed, by the model or by hand).
    """

    carbon_price_per_kg: float
    self_sufficiency_price: float
    wear_factor: float
    switching_price: float
    beside_cheapest: CheapestReply | None = None
    reasons: list[ObjectiveReason] = []
