"""What an agent learns from of a stored site."""

from dataclasses import replace

import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, Timeline
from services.agent.training_history import cut_scene
from tests.support.planning.replay import NOW, make_scene


def test_days_to_learn_from_know_in_which_currencies_their_market_has_prices() -> None:
    scene = make_scene()
    book = scene.prices.books["NL"]
    bare = replace(
        book,
        slot=book.slot[:0],
        published_at=book.published_at[:0],
        price=book.price[:0],
        foreign=("GBP",),
    )
    cut = cut_scene(
        replace(scene, prices=replace(scene.prices, books={"NL": bare})), scene.timeline
    )
    with pytest.raises(InvalidInputError) as refused:
        cut.prices.ahead(NOW, Timeline(NOW, SLOT, 8))
    assert refused.value.reason == "prices-in-other-currency"
    figures = {"known": ["GBP"], "currency": "EUR"}
    assert refused.value.parameters.items() >= figures.items()
