"""The place of a price among those of its day."""

from luna.words.language import Language
from luna.words.phrases import Phrases

_REASONS = Phrases("price_reasons")
# Endings of English ordinals by last digit, except of the teens.
ENDINGS = {1: "st", 2: "nd", 3: "rd"}
TEENS = (11, 12, 13)


def format_price_rank(
    from_cheapest: int, from_dearest: int, *, count: int, language: Language
) -> str:
    """Return the place of a price among ``count``, from the nearer end.

    Both places begin with 1; equal prices share the better one.
    """
    if from_cheapest == 1:
        return _REASONS.say("rank_cheapest", language, count=count)
    if from_dearest == 1:
        return _REASONS.say("rank_dearest", language, count=count)
    if from_cheapest <= from_dearest:
        place = _say_ordinal(from_cheapest, language)
        return _REASONS.say("rank_cheap", language, place=place, count=count)
    place = _say_ordinal(from_dearest, language)
    return _REASONS.say("rank_dear", language, place=place, count=count)


def _say_ordinal(rank: int, language: Language) -> str:
    ending = ENDINGS.get(rank % 10, "th")
    if rank % 100 in TEENS:
        ending = "th"
    return _REASONS.say(f"ordinal_{ending}", language, rank=rank)
