"""Items in a database, showings of them, and events about these."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, delete

from luna.contracts.recommendations import (
    BanditPolicy,
    Event,
    RecommendRequest,
    RecordEventsRequest,
)
from luna.platform.database import recommendation_items
from luna.platform.database.engine import unit_of_work
from luna.platform.database.recommendation_items import Item
from luna.platform.database.schema.recommendations import bandit_states, items, recommendations
from services.rag.recommending.choosing import Chooser
from services.rag.retrieval.terms import terms_of

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SUBJECTS = (
    "battery",
    "tariff",
    "meter",
    "subsidy",
    "inverter",
    "heat",
    "vehicle",
    "grid",
    "contract",
    "sun",
)


def describe_item(number: int, **changes: Any) -> Item:
    """Return an item about one subject, with words of its own beside it."""
    subject = SUBJECTS[number % len(SUBJECTS)]
    words = {*terms_of(subject, None), *(f"word{number}x{place}" for place in range(6))}
    figures = {"title": f"About the {subject}, {number}", "opening": f"Words about the {subject}."}
    return Item(
        **(
            {
                "item_id": f"item{number:05d}",
                "kind": "document",
                "code": "document",
                "figures": figures,
                "terms": frozenset(words),
            }
            | changes
        )
    )


def store_items(
    connection: Connection, count: int, *, site_key: int | None = None, **changes: Any
) -> None:
    """Make so many items those of everybody, or of a site."""
    found = [describe_item(number, **changes) for number in range(count)]
    recommendation_items.write(
        connection, found, site_key=site_key, kinds=["document", "tip"], now=NOON
    )


def choose(
    connection: Connection,
    reader: str = "anna",
    *,
    policy: BanditPolicy = "linucb",
    now: datetime = NOON,
    seed: int = 1,
    **request: Any,
) -> list[Any]:
    """Return what a reader is shown."""
    chooser = Chooser(policy, None, np.random.default_rng(seed))
    return chooser.choose(
        connection, RecommendRequest(reader=reader, **request), now=now
    ).recommendations


def tell_of(
    shown: list[Any], action: str = "opened", *, reader: str = "anna", mark: str = "", **fields: Any
) -> RecordEventsRequest:
    """Return the request that reports the same action for each of what was shown."""
    told = [
        Event(
            event_id=f"{mark}{action}-{each.recommendation_id}"[:64],
            recommendation_id=each.recommendation_id,
            action=action,
            **({"happened_at": NOON} | fields),
        )
        for each in shown
    ]
    return RecordEventsRequest(events=tuple(told), reader=reader)


@contextmanager
def clean(database: Engine) -> Iterator[Engine]:
    """Yield a database in which nothing is recommended and nothing was learned.

    It is so again afterwards.
    """
    _empty(database)
    yield database
    _empty(database)


def _empty(database: Engine) -> None:
    with unit_of_work(database) as connection:
        for table in (bandit_states, recommendations, items):
            connection.execute(delete(table))
