"""Recommendations in the reader's language."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.recommendations import Recommendation, RecommendRequest
from luna.platform.database import recommendation_items
from luna.platform.database.recommendation_items import Item
from luna.platform.database.recommendations import Showing
from luna.words import Numbers
from luna.words.recommendations import say_reason, say_recommendation

# From here on what was read or named is the reason.
_NEAR = 0.1


def tell(connection: Connection, showings: Sequence[Showing], request: RecommendRequest, *, similarity: Mapping[str, float]) -> list[Recommendation]:
    """Return recommendations in the reader's language, in the order in which they are shown."""
    items = recommendation_items.load(connection, [each.item_id for each in showings])
    return [_tell(items[each.item_id], each, request, similarity[each.item_id]) for each in showings]


def _tell(item: Item, showing: Showing, request: RecommendRequest, similarity: float) -> Recommendation:
    # Instants have no part in these words.
    numbers = Numbers(request.language, ZoneInfo("UTC"), item.currency or "EUR")
    words = say_recommendation(item.code, item.figures, numbers)
    named = request.about is not None and bool(request.about.strip())
    return Recommendation(
        recommendation_id=showing.recommendation_id,
        item_id=item.item_id,
        kind=item.kind,
        title=words.title,
        text=words.text,
        saving_cost_per_year=item.saving_cost_per_year,
        saving_low=item.saving_low,
        saving_high=item.saving_high,
        currency=item.currency,
        evidence=list(words.evidence),
        document_id=item.document_id,
        what_if_id=item.what_if_id,
        reason=say_reason(_reason(item, similarity, named=named), numbers, saving=item.saving_cost_per_year),
    )


def _reason(item: Item, similarity: float, *, named: bool) -> str:
    if similarity >= _NEAR:
        return "named" if named else "similar"
    if item.saving_cost_per_year is not None:
        return "saving"
    return "offered" if item.code == "tariff_offer" else "other"
