"""Which items a reader is shown: theirs alone, near to what they are after, nothing twice, nothing
that they dismissed.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.recommendations import BanditPolicy
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.site import parse_site
from luna.platform.database import recommendation_items, recommendations, sites
from luna.platform.database.engine import unit_of_work
from services.rag.recommending.choosing import record_events
from services.rag.recommending.evaluation import evaluate_log
from services.rag.recommending.features import DIMENSIONS
from tests.support.database.databases import remove_site
from tests.support.documents.recommended_items import (
    NOON,
    choose,
    clean,
    describe_item,
    store_items,
    tell_of,
)
from tests.support.words.wording import wording

POLICIES: tuple[BanditPolicy, ...] = ("linucb", "thompson")
OWN = ("ours", "theirs")


@pytest.fixture
def connected(database: Engine) -> Iterator[Connection]:
    """A connection to a database with two sites, twenty items of everybody, and a tip of each
    site.
    """
    with clean(database):
        with unit_of_work(database) as connection:
            store_items(connection, 20)
            for number, name in enumerate(OWN):
                sites.save(connection, parse_site({"name": name, "timezone": "Europe/Berlin"}))
                tip = describe_item(
                    100 + number,
                    item_id=f"tip-{name}",
                    kind="tip",
                    saving_cost_per_year=50.0,
                    saving_low=40.0,
                    saving_high=60.0,
                    currency="EUR",
                )
                recommendation_items.write(
                    connection,
                    [tip],
                    site_key=sites.key_of(connection, name),
                    kinds=["tip"],
                    now=NOON,
                )
        with unit_of_work(database) as connection:
            yield connection
        for name in OWN:
            remove_site(database, name)


def ids(shown: list[object]) -> list[str]:
    return [each.item_id for each in shown]  # type: ignore[attr-defined]


@pytest.mark.parametrize("policy", POLICIES)
def test_as_many_are_shown_as_asked_for_and_none_twice(
    connected: Connection, policy: BanditPolicy
) -> None:
    shown = ids(choose(connected, policy=policy, k=12))
    assert len(set(shown)) == len(shown) == 12


def test_what_is_named_decides_what_is_shown(connected: Connection) -> None:
    # Items 4 and 14 are about inverters, of twenty.
    assert set(ids(choose(connected, about="inverter", k=2))) == {"item00004", "item00014"}


def test_what_is_named_in_the_other_language_is_found(connected: Connection) -> None:
    assert set(ids(choose(connected, about="Wechselrichter", k=2, language="de"))) == {
        "item00004",
        "item00014",
    }


def test_what_was_read_leads_to_what_resembles_it(connected: Connection) -> None:
    first = choose(connected, about="subsidy", k=1)
    record_events(connected, tell_of(first, "useful"), now=NOON)
    reasons = {each.item_id: each.reason for each in choose(connected, k=10)}
    assert "item00013" in reasons
    assert reasons["item00013"] == wording("recommendations", "reason_similar")


def test_what_was_dismissed_stays_away_for_thirty_days(connected: Connection) -> None:
    dismissed = choose(connected, about="heat", k=1)
    record_events(connected, tell_of(dismissed, "dismissed"), now=NOON)
    everything: dict[str, Any] = {"k": 50, "kind": "document"}
    assert dismissed[0].item_id not in ids(
        choose(connected, now=NOON + timedelta(days=29), **everything)
    )
    assert dismissed[0].item_id in ids(
        choose(connected, now=NOON + timedelta(days=31), **everything)
    )
    assert dismissed[0].item_id in ids(choose(connected, "bert", **everything))


def test_a_dismissal_holds_though_a_clock_goes_back(connected: Connection) -> None:
    dismissed = choose(connected, about="heat", k=1)
    record_events(
        connected, tell_of(dismissed, "dismissed", happened_at=NOON - timedelta(days=900)), now=NOON
    )
    assert dismissed[0].item_id not in ids(
        choose(connected, now=NOON - timedelta(days=1), k=50, kind="document")
    )


def test_who_has_no_site_is_shown_what_is_everybodys(connected: Connection) -> None:
    assert {each.kind for each in choose(connected, sites=(), k=50)} == {"document"}


def test_nobody_is_shown_what_is_another_sites(connected: Connection) -> None:
    assert ids(choose(connected, sites=("ours",), kind="tip", k=50)) == ["tip-ours"]
    assert ids(choose(connected, sites=None, site_id="theirs", kind="tip", k=50)) == ["tip-theirs"]


@pytest.mark.parametrize("site_id", ["theirs", "nowhere"])
def test_a_site_that_is_not_the_readers_is_unknown(connected: Connection, site_id: str) -> None:
    with pytest.raises(NotFoundError, match="no such site"):
        choose(connected, sites=("ours",), site_id=site_id)


def test_nothing_to_recommend_is_an_empty_list(connected: Connection) -> None:
    assert choose(connected, kind="tariff") == []


def test_of_two_that_are_nearly_the_same_one_is_shown(connected: Connection) -> None:
    # Nine of ten words in common: above four fifths.
    words = {f"same{number}" for number in range(9)}
    twins = [
        describe_item(number, item_id=f"twin{number}", terms=frozenset({*words, f"own{number}"}))
        for number in range(2)
    ]
    recommendation_items.write(
        connected, twins, site_key=sites.key_of(connected, "ours"), kinds=["document"], now=NOON
    )
    assert (
        sum(each.startswith("twin") for each in ids(choose(connected, site_id="ours", k=50))) == 1
    )


def test_a_policy_learns_what_a_reader_likes(connected: Connection) -> None:
    for number in range(150):
        shown = choose(connected, f"reader{number % 5}", k=2, seed=number)
        for each in shown:
            record_events(
                connected,
                tell_of(
                    [each],
                    "useful" if each.kind == "tip" else "dismissed",
                    reader=f"reader{number % 5}",
                ),
                now=NOON - timedelta(days=60),
            )
    assert {each.kind for each in choose(connected, "somebody new", k=2, seed=7)} == {"tip"}


def test_propensities_and_what_was_chosen_among_are_kept(connected: Connection) -> None:
    for number in range(30):
        record_events(
            connected,
            tell_of(choose(connected, f"r{number}", k=3, seed=number), reader=f"r{number}"),
            now=NOON,
        )
    slates = recommendations.list_slates(connected, dimensions=DIMENSIONS, limit=100)
    assert len(slates) == 30
    for each in slates:
        assert 0.0 < each.propensity <= 1.0
        np.testing.assert_allclose(each.candidates[each.place], each.features, atol=1e-6)


def test_the_log_tells_what_each_policy_is_worth(connected: Connection) -> None:
    for number in range(40):
        record_events(
            connected,
            tell_of(choose(connected, f"r{number}", k=1, seed=number), reader=f"r{number}"),
            now=NOON,
        )
    found = evaluate_log(connected)
    # Whatever was shown was opened.
    assert (found["choices"], found["logged"]) == (40, pytest.approx(0.4))
    assert set(found["policies"]) == {"random", "linucb", "thompson"}
    for values in found["policies"].values():
        assert values["snips"]["value"] == pytest.approx(0.4)


def test_without_a_log_nothing_is_told(connected: Connection) -> None:
    with pytest.raises(InvalidInputError) as refused:
        evaluate_log(connected)
    assert refused.value.reason == "too-few-choices"


def test_ten_thousand_items_and_a_long_request_are_chosen_from(connected: Connection) -> None:
    store_items(connected, 10_000)
    shown = choose(connected, about="inverter " * 50, k=50)
    assert len(shown) == 50
    assert all("inverter" in each.title for each in shown)
