"""What a plan could not hold, as it is answered: in the language asked for, with what it costs."""

from typing import Any

from luna.contracts.plan import CompromiseReply
from luna.wording import Language
from luna.wording.compromises import say_compromise


def name_compromise(code: str, language: Language, *, cost: float = 0.0, **figures: Any) -> CompromiseReply:
    """Return a compromise in words; ``cost`` is rounded to what leaves the planner."""
    constraint, shortfall = say_compromise(code, language=language, **figures)
    return CompromiseReply(code=code, constraint=constraint, shortfall=shortfall, cost=round(cost, 6) + 0.0)
