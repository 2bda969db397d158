"""What there is to recommend: documents, tips of each site, tariffs and what-ifs that were
replayed; looked at anew, each site in a transaction of its own.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import get_args

import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.documents import DocumentLanguage
from luna.contracts.recommendations import (
    ItemKind,
    RefreshRecommendationsReply,
    RefreshRecommendationsRequest,
)
from luna.energy.economics.prices import price_slots
from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.site import Site, SpotPrice
from luna.energy.site.countries import COUNTRIES
from luna.energy.timeline import local_days, parse_zone
from luna.platform.database import (
    prices,
    quality,
    recommendation_items,
    recommendations,
    sites,
    what_ifs,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.recommendation_items import Item
from luna.platform.queue.task_context import isolate
from luna.words import Numbers
from luna.words.recommendations import say_recommendation
from services.rag.embedding import Embedder, embed_if_there
from services.rag.recommending.daily_series import RecordedDays, cut_days
from services.rag.recommending.tips import MAY_WAIT, find_tips
from services.rag.retrieval.terms import terms_of

_SERIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh", "soc", *MAY_WAIT)
_YEAR = timedelta(days=365)
# Questions of a site that are looked through for what they found.
_QUESTIONS = 50
_OPENING = 240
OF_SITES: tuple[ItemKind, ...] = ("tip", "tariff", "what_if")


@dataclass(frozen=True, slots=True)
class Stock:
    """Writes what can be recommended; without an embedding model by its words alone."""

    embedder: Embedder | None
    now: datetime

    def refresh_documents(self, connection: Connection) -> tuple[int, int]:
        """Write an item for each document that searches find.

        Return how many are new or changed, and how many were withdrawn.
        """
        sources = recommendation_items.list_documents(
            connection, model=self.embedder.model if self.embedder else None
        )
        keys = [None, *(sites.key_of(connection, name) for name in sites.names(connection))]
        by_site: dict[int | None, list[Item]] = {key: [] for key in keys}
        for source in sources:
            opening = " ".join(source.opening.split())
            excerpt = (
                opening if len(opening) <= _OPENING else opening[:_OPENING].rsplit(" ", 1)[0] + " …"
            )
            language = next(
                (each for each in get_args(DocumentLanguage) if each == source.language), None
            )
            by_site.setdefault(source.site_key, []).append(
                Item(
                    item_id=_name("document", source.document_id),
                    kind="document",
                    code="document",
                    figures={"title": source.title, "opening": excerpt},
                    document_id=source.document_id,
                    language=source.language,
                    terms=frozenset(terms_of(f"{source.title}\n{opening}", language)),
                    model=None
                    if source.vector is None or self.embedder is None
                    else self.embedder.model,
                    vector=source.vector,
                )
            )
        counts = [
            recommendation_items.write(
                connection, items, site_key=key, kinds=["document"], now=self.now
            )
            for key, items in by_site.items()
        ]
        return sum(written for written, _ in counts), sum(withdrawn for _, withdrawn in counts)

    def refresh_site(self, connection: Connection, site_id: str) -> tuple[int, int]:
        """Write the tips, tariffs and what-ifs of a site; return as above.

        Raises:
            NotFoundError: no such site.
        """
        site = sites.load(connection, site_id)
        days = read_days(connection, site, self.now)
        tips = [
            Item(
                item_id=_name(site.name, each.code, each.key),
                kind="tip",
                code=each.code,
                figures=each.figures,
                currency=site.currency,
                saving_cost_per_year=each.saving.value,
                saving_low=each.saving.low,
                saving_high=each.saving.high,
            )
            for each in (find_tips(site, days) if days else [])
        ]
        replayed = list(_replayed(connection, site_id))
        items = [*tips, *replayed, *_offers(site, replayed)]
        return recommendation_items.write(
            connection,
            self._describe(items, site),
            site_key=sites.key_of(connection, site_id),
            kinds=OF_SITES,
            now=self.now,
        )

    def _describe(self, items: Sequence[Item], site: Site) -> list[Item]:
        """Return items with the stems and the vector of their words in both languages."""
        texts: list[dict[DocumentLanguage, str]] = []
        for item in items:
            numbers = {
                language: Numbers(language, parse_zone(site.timezone), site.currency)
                for language in get_args(DocumentLanguage)
            }
            words = {
                language: say_recommendation(item.code, item.figures, each)
                for language, each in numbers.items()
            }
            texts.append(
                {language: f"{each.title}. {each.text}" for language, each in words.items()}
            )
        stems = [
            frozenset(term for language, text in each.items() for term in terms_of(text, language))
            for each in texts
        ]
        embedded = embed_if_there(
            self.embedder, [" ".join(each.values()) for each in texts], role="passage"
        )
        if self.embedder is None or embedded is None:
            return [replace(item, terms=terms) for item, terms in zip(items, stems, strict=True)]
        vectors = np.asarray(embedded, dtype=float)
        return [
            replace(item, terms=terms, model=self.embedder.model, vector=row)
            for item, terms, row in zip(items, stems, vectors, strict=True)
        ]


def read_days(connection: Connection, site: Site, now: datetime) -> RecordedDays | None:
    """Return the days of a site's last year that are recorded as a whole, under the prices of its
    tariff; None where its prices are not there.
    """
    zone = parse_zone(site.timezone)
    last = now.astimezone(zone).date() - timedelta(days=1)
    timeline = local_days(max(last - _YEAR, date(1970, 1, 2)), last, zone)
    try:
        priced = price_slots(
            site.tariff, timeline, zone=zone, spot=prices.read_tariff(connection, site, timeline)
        )
    except InvalidInputError:
        return None
    return cut_days(
        timeline, zone, quality.read_usable(connection, site, timeline, _SERIES), priced
    )


def _replayed(connection: Connection, site_id: str) -> Iterator[Item]:
    """Yield what was replayed and would have cost less; of a repeated question the later one."""
    item_ids: set[str] = set()
    for what_if_id, _, question in what_ifs.list_of_site(connection, site_id, limit=_QUESTIONS):
        _, reply, _ = what_ifs.read_answer(connection, what_if_id)
        changes = {each.name: set(each.site) for each in question.variants}
        if reply is None:
            continue
        for variant in reply.variants:
            kind: ItemKind = "tariff" if changes.get(variant.name) == {"tariff"} else "what_if"
            item_id = _name(reply.site, kind, variant.name)
            saving = variant.savings_per_year
            # Too few days say nothing of a year, and what is never less than nothing is no advice.
            if saving is None or saving.value is None or saving.value <= 0 or item_id in item_ids:
                continue
            item_ids.add(item_id)
            span = {
                "first": reply.from_day.isoformat(),
                "last": reply.to_day.isoformat(),
                "days": reply.days,
            }
            yield Item(
                item_id=item_id,
                kind=kind,
                code="tariff_replayed" if kind == "tariff" else "what_if",
                figures=span
                | {"name": variant.name, "paid": reply.baseline.total, "instead": variant.total},
                currency=reply.currency,
                saving_cost_per_year=saving.value,
                saving_low=saving.low,
                saving_high=saving.high,
                what_if_id=reply.what_if_id,
            )


def _offers(site: Site, replayed: Iterable[Item]) -> Iterator[Item]:
    """Yield a tariff of the site's country that nobody has replayed yet.

    Nothing is claimed of it.
    """
    country = COUNTRIES.get(site.country or "") or next(
        (each for each in COUNTRIES.values() if each.timezone == site.timezone), None
    )
    compared = any(each.kind == "tariff" for each in replayed)
    if (
        country is None
        or not country.markets
        or country.currency != site.currency
        or isinstance(site.tariff.import_, SpotPrice)
        or compared
    ):
        return
    figures = {"market": country.markets[0], "markup": country.markup, "vat": country.vat}
    yield Item(
        _name(site.name, "tariff", "spot", country.markets[0]),
        "tariff",
        "tariff_offer",
        figures,
        currency=site.currency,
    )


def _name(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


# Showings of which nothing was ever reported are of no use after that.
UNSEEN_FOR = timedelta(days=30)

log = structlog.get_logger("luna.rag")


def refresh(
    database: Engine,
    request: RefreshRecommendationsRequest,
    *,
    embedder: Embedder | None,
    now: datetime,
) -> RefreshRecommendationsReply:
    """Write the items of one site or of all, withdraw what no longer holds, forget showings that
    nobody saw; run twice, it changes nothing the second time.

    Raises:
        NotFoundError: no such site.
    """
    stock = Stock(embedder, now)
    with unit_of_work(database) as connection:
        recommendations.forget_unseen(connection, now=now, age=UNSEEN_FOR)
        counts = [stock.refresh_documents(connection)]
        if request.site_id is not None:
            sites.key_of(connection, request.site_id)
        site_ids = sites.names(connection) if request.site_id is None else [request.site_id]
    looked_at = {
        site_id: isolate(partial(_refresh_site, database, stock, site_id), partial(_note, site_id))
        for site_id in site_ids
    }
    counts += [count for count in looked_at.values() if count is not None]
    written, withdrawn = (sum(each) for each in zip(*counts, strict=True))
    failed = [site_id for site_id, count in looked_at.items() if count is None]
    return RefreshRecommendationsReply(
        sites=len(site_ids), written=written, withdrawn=withdrawn, failed=failed
    )


def refresh_documents(database: Engine, *, embedder: Embedder | None, now: datetime) -> None:
    """Write the items of documents alone: one that was just read can be recommended at once."""
    with unit_of_work(database) as connection:
        Stock(embedder, now).refresh_documents(connection)


def _refresh_site(database: Engine, stock: Stock, site_id: str) -> tuple[int, int] | None:
    with unit_of_work(database) as connection:
        return stock.refresh_site(connection, site_id)


def _note(site_id: str, error: Exception) -> None:
    log.warning(
        "a site's recommendations could not be looked at",
        site=site_id,
        error=str(error),
        exc_info=None if isinstance(error, LunaError) else error,
    )
