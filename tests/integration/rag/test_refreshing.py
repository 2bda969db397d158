"""What there is to recommend: written once, withdrawn when it no longer holds, gone with its
site.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, insert, select, update

from luna.contracts.identity import NewUser
from luna.contracts.recommendations import (
    RecommendRequest,
    RefreshRecommendationsReply,
    RefreshRecommendationsRequest,
)
from luna.contracts.variant import Estimate, Variant, VariantReply, WhatIfReply, WhatIfRequest
from luna.energy.errors import UnavailableError
from luna.energy.observations import Observations
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import observations, site_removal, sites, users, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.documents import chunks, documents
from luna.platform.database.schema.plans import what_ifs as asked_what_ifs
from luna.platform.database.schema.recommendations import items, recommendations
from services.rag.embedding import Role
from services.rag.recommending.choosing import Chooser, record_events
from services.rag.recommending.stock import refresh
from tests.support.database.site import stored_site
from tests.support.documents.recommended_items import choose, clean, tell_of
from tests.support.words.wording import wording

NOW = datetime(2024, 5, 1, 3, tzinfo=UTC)
SITE = "recommended"


@pytest.fixture
def house(database: Engine) -> Iterator[Engine]:
    """A house of 400 W day and night at 0.30, forty days of it.

    A document of everybody; a tariff that was replayed and saves 120 a year.
    """
    with (
        clean(database),
        stored_site(database, name=SITE, tariff={"import": {"kind": "fixed", "price": 0.3}}),
    ):
        with unit_of_work(database) as connection:
            measure(connection, 40)
            add_document(connection, "doc-battery", "Battery manual")
            ask_about_tariff(connection)
        yield database
        with unit_of_work(database) as connection:
            connection.execute(documents.delete().where(documents.c.document_id.like("doc-%")))
            connection.execute(
                asked_what_ifs.delete().where(asked_what_ifs.c.what_if_id == "cheaper")
            )


def measure(connection: Connection, days: int) -> None:
    timeline = Timeline(
        datetime(2024, 4, 30, 22, tzinfo=UTC) - timedelta(days=days), SLOT, days * 96
    )
    steady = np.full(timeline.count, 0.1)
    series = {
        "load_kwh": steady,
        "import_kwh": steady,
        "export_kwh": 0 * steady,
        "pv_kwh": 0 * steady,
    }
    observations.upsert(connection, SITE, Observations.of(timeline.starts, series))


def add_document(connection: Connection, document_id: str, title: str, **fields: Any) -> None:
    row = {
        "document_id": document_id,
        "name": document_id,
        "version": 1,
        "current": True,
        "title": title,
        "kind": "manual",
        "language": "en",
    }
    row |= {
        "source": "upload",
        "media_type": "text/plain",
        "sha256": "0",
        "object_key": "0",
        "size_bytes": 1,
        "state": "searchable",
        "added_by": "local",
    }
    connection.execute(insert(documents).values(row | fields))
    connection.execute(
        insert(chunks).values(
            document_id=document_id,
            position=0,
            headings=[],
            passage=f"{title}: how to care for it.",
        )
    )


def ask_about_tariff(connection: Connection) -> None:
    tariff = {"tariff": {"import": {"kind": "fixed", "price": 0.2}}}
    span = {"from_day": date(2024, 3, 1), "to_day": date(2024, 4, 9)}
    what_ifs.ask(
        connection,
        "cheaper",
        WhatIfRequest(site_id=SITE, variants=[Variant(name="20 cents", site=tariff)], **span),
        now=NOW,
    )
    bill = {
        "bill": 50.0,
        "wear": 0.0,
        "stored_gain": 0.0,
        "cost": 50.0,
        "import_kwh": 1.0,
        "export_kwh": 0.0,
        "cycles": 0.0,
        "months": [],
    }
    variant = VariantReply(
        name="20 cents",
        total=40.0,
        savings_per_year=Estimate(value=120.0, low=100.0, high=140.0),
        **bill,
    )
    shared = {
        "what_if_id": "cheaper",
        "site": SITE,
        "days": 40,
        "currency": "EUR",
        "policy": "mpc",
        "outlook": "usual",
    }
    what_ifs.conclude(
        connection,
        WhatIfReply(
            baseline=VariantReply(name="baseline", total=50.0, **bill),
            variants=[variant],
            **shared,
            **span,
        ),
    )


def look(
    database: Engine, site_id: str | None = SITE, *, now: datetime = NOW
) -> RefreshRecommendationsReply:
    return refresh(database, RefreshRecommendationsRequest(site_id=site_id), embedder=None, now=now)


def list_items(database: Engine) -> dict[str, Any]:
    with unit_of_work(database) as connection:
        rows = connection.execute(select(items).where(items.c.withdrawn_at.is_(None))).mappings()
        return {
            row["code"]: row
            for row in rows
            if row["document_id"] in (None, "doc-battery", "doc-second")
        }


def test_tips_tariffs_and_documents_are_found(house: Engine) -> None:
    reply = look(house)
    found = list_items(house)
    assert reply.failed == []
    assert set(found) == {"standby", "tariff_replayed", "document"}
    # 20 W around the clock at 0.30; of the forty days, that on which summer time begins has 23
    # hours.
    assert found["standby"]["saving_cost_per_year"] == pytest.approx(
        0.02 * 24 * 365.25 * 0.3 * 959 / 960
    )
    assert (found["tariff_replayed"]["kind"], found["tariff_replayed"]["saving_cost_per_year"]) == (
        "tariff",
        120.0,
    )


def test_looking_twice_changes_nothing(house: Engine) -> None:
    look(house)
    again = look(house)
    assert (again.written, again.withdrawn) == (0, 0)


def test_looking_at_the_same_time_writes_everything_once(house: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(partial(look, house), [SITE] * 4))
    assert sum(each.written for each in replies) == len(list_items(house))


def test_what_no_longer_holds_is_withdrawn_and_comes_back(house: Engine) -> None:
    look(house)
    with unit_of_work(house) as connection:
        connection.execute(
            update(documents).where(documents.c.document_id == "doc-battery").values(current=False)
        )
    assert look(house).withdrawn == 1
    assert "document" not in list_items(house)
    with unit_of_work(house) as connection:
        connection.execute(
            update(documents).where(documents.c.document_id == "doc-battery").values(current=True)
        )
    assert look(house).written == 1


def test_a_tariff_that_nobody_replayed_claims_no_saving(house: Engine) -> None:
    with unit_of_work(house) as connection:
        connection.execute(asked_what_ifs.delete().where(asked_what_ifs.c.what_if_id == "cheaper"))
    look(house)
    offer = list_items(house)["tariff_offer"]
    assert (offer["saving_cost_per_year"], offer["figures"]["market"]) == (None, "DE-LU")


def test_each_is_told_in_both_languages_with_its_evidence(house: Engine) -> None:
    look(house)
    with unit_of_work(house) as connection:
        told = {
            language: {
                each.kind: each
                for each in choose(connection, site_id=SITE, k=10, language=language, now=NOW)
            }
            for language in ("en", "de")
        }
    assert told["en"]["tip"].title == wording("recommendations", "title_standby")
    assert told["de"]["tip"].evidence == [
        wording("recommendations", "evidence_standby", "de", standby="400\u00a0W"),
        wording(
            "recommendations", "year_counted", "de", days=40, first="22.3.2024", last="30.4.2024"
        ),
        # 0.4 kW at 0.30 in 959 hours of forty days: 2.877 a day.
        wording("recommendations", "year_bill", "de", bill="1.050,82\u00a0€"),
    ]
    assert told["en"]["tariff"].what_if_id == "cheaper"
    assert told["en"]["document"].document_id == "doc-battery"


def test_a_document_of_a_site_is_not_shown_elsewhere(house: Engine) -> None:
    with unit_of_work(house) as connection:
        add_document(
            connection,
            "doc-second",
            "Contract of one house",
            site_key=sites.key_of(connection, SITE),
        )
    look(house)
    with unit_of_work(house) as connection:
        ours = {
            each.document_id
            for each in choose(connection, sites=(SITE,), kind="document", k=50, now=NOW)
        }
        others = {
            each.document_id
            for each in choose(connection, sites=(), kind="document", k=50, now=NOW)
        }
    assert ours - others == {"doc-second"}


def test_one_site_that_cannot_be_looked_at_keeps_no_other_waiting(house: Engine) -> None:
    with unit_of_work(house) as connection:
        connection.execute(
            update(asked_what_ifs)
            .where(asked_what_ifs.c.what_if_id == "cheaper")
            .values(reply={"no": "reply"})
        )
    reply = look(house, None)
    assert reply.failed == [SITE]
    assert "document" in list_items(house)


def test_a_site_takes_its_items_and_what_was_shown_for_it_along(house: Engine) -> None:
    look(house)
    with unit_of_work(house) as connection:
        record_events(connection, tell_of(choose(connection, site_id=SITE, k=5, now=NOW)), now=NOW)
        site_removal.remove(connection, SITE)
        assert connection.scalars(select(items.c.code)).all() == ["document"]
        assert connection.scalars(select(recommendations.c.item_id)).all() == []
        connection.rollback()


def test_a_reader_who_is_removed_leaves_nothing(house: Engine) -> None:
    look(house)
    with unit_of_work(house) as connection:
        users.add(
            connection,
            NewUser(name="rita", password="lantern orchard nine winters", role="user"),
            "hash",
        )
        record_events(
            connection, tell_of(choose(connection, "rita", k=3, now=NOW), reader="rita"), now=NOW
        )
        users.remove(connection, "rita")
        assert connection.scalars(select(recommendations.c.item_id)).all() == []


class LetterEmbedder:
    """A model whose vectors count letters."""

    model = "letters"
    dimensions = 26
    speaks_one_language = False

    def embed(self, texts: Sequence[str], *, role: Role = "passage") -> NDArray[np.float32]:
        counts = (
            np.array(
                [
                    [text.lower().count(chr(ord("a") + place)) for place in range(26)]
                    for text in texts
                ],
                dtype=float,
            )
            + 1e-3
        )
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)


def test_with_a_model_items_get_vectors_and_are_found_by_them(house: Engine) -> None:
    embedder = LetterEmbedder()
    refresh(house, RefreshRecommendationsRequest(site_id=SITE), embedder=embedder, now=NOW)
    found = list_items(house)
    assert {found[code]["model"] for code in ("standby", "tariff_replayed")} == {"letters"}
    chooser = Chooser("linucb", embedder, np.random.default_rng(1))
    with unit_of_work(house) as connection:
        # No word of it stands in any item; its letters do.
        reply = chooser.choose(
            connection,
            RecommendRequest(reader="anna", site_id=SITE, about="zzgnihtyna", k=1),
            now=NOW,
        )
    assert reply.recommendations[0].reason == wording("recommendations", "reason_named")


def test_while_the_model_is_away_words_are_enough(house: Engine) -> None:
    class AwayEmbedder(LetterEmbedder):
        def embed(self, texts: Sequence[str], *, role: Role = "passage") -> NDArray[np.float32]:
            raise UnavailableError("the model is not pulled yet", field="language_url")

    reply = refresh(
        house, RefreshRecommendationsRequest(site_id=SITE), embedder=AwayEmbedder(), now=NOW
    )
    assert reply.failed == []
    assert list_items(house)["standby"]["model"] is None
    chooser = Chooser("linucb", AwayEmbedder(), np.random.default_rng(1))
    with unit_of_work(house) as connection:
        shown = chooser.choose(
            connection,
            RecommendRequest(reader="anna", site_id=SITE, about="standby", k=1),
            questions=["standby"],
            now=NOW,
        )
    assert len(shown.recommendations) == 1
