"""Refreshes the items to recommend: documents, and each site's tips, tariffs and what-ifs.

Each site has a transaction of its own.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import cast, get_args

import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.departures import ProposedDeparture, list_figures
from luna.contracts.documents import DocumentLanguage
from luna.contracts.recommendations import (
    ItemKind,
    RefreshRecommendationsReply,
    RefreshRecommendationsRequest,
)
from luna.energy.economics.prices import price_slots
from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.site import Site
from luna.energy.site.countries import COUNTRIES
from luna.energy.timeline import local_days, parse_zone
from luna.house.account import read_tariff_charges
from luna.platform.database import (
    departures,
    prices,
    quality,
    recommendation_items,
    recommendations,
    sites,
    what_ifs,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.recommendation_items import DocumentSource, Item
from luna.platform.queue.task_context import isolate
from luna.words import Numbers
from luna.words.recommendations import say_recommendation
from services.rag.embedding import Embedder, embed_if_there
from services.rag.recommending.daily_series import RecordedDays, cut_days
from services.rag.recommending.tips import MAY_WAIT, Tip, find_tips
from services.rag.retrieval.terms import terms_of

_SERIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh", "soc", *MAY_WAIT)
_YEAR = timedelta(days=365)
# Number of a site's what-if questions whose answers become items.
_QUESTIONS = 50
_OPENING = 240
OF_SITES: tuple[ItemKind, ...] = ("tip", "tariff", "what_if")


@dataclass(frozen=True, slots=True)
class Stock:
    """Writes items to recommend; without an embedding model they have words alone."""

    embedder: Embedder | None
    now: datetime

    def refresh_documents(self, connection: Connection) -> tuple[int, int]:
        """Write an item for each document that searches find.

        Return how many are new or changed, and how many were withdrawn.
        """
        model = self.embedder.model if self.embedder else None
        # Sites without documents are written too, so that their old items are withdrawn.
        by_site: dict[int | None, list[Item]] = {None: []}
        for name in sites.names(connection):
            by_site[sites.key_of(connection, name)] = []
        for source in recommendation_items.list_documents(connection, model=model):
            item = _describe_document(source, model)
            by_site.setdefault(source.site_key, []).append(item)
        all_written = 0
        all_withdrawn = 0
        for key, items in by_site.items():
            written, withdrawn = recommendation_items.write(
                connection, items, site_key=key, kinds=["document"], now=self.now
            )
            all_written += written
            all_withdrawn += withdrawn
        return all_written, all_withdrawn

    def refresh_site(self, connection: Connection, site_id: str) -> tuple[int, int]:
        """Write the tips, tariffs and what-ifs of a site; return as above.

        Raises:
            NotFoundError: no such site.
        """
        site = sites.load(connection, site_id)
        days = read_days(connection, site, self.now)
        tips = find_tips(site, days) if days else []
        replayed = list(_replayed(connection, site_id))
        items = [_describe_tip(tip, site) for tip in tips]
        items += [*replayed, *_offers(site, replayed)]
        proposals = departures.read_proposals(connection, site_id, now=self.now)
        items += [_describe_departure(proposed, site_id) for proposed in proposals]
        return recommendation_items.write(
            connection,
            self._describe(items, site),
            site_key=sites.key_of(connection, site_id),
            kinds=OF_SITES,
            now=self.now,
        )

    def _describe(self, items: Sequence[Item], site: Site) -> list[Item]:
        """Return items with the stems and the vector of their words in both languages."""
        zone = parse_zone(site.timezone)
        texts: list[str] = []
        described: list[Item] = []
        for item in items:
            sentences = []
            terms: set[str] = set()
            for language in get_args(DocumentLanguage):
                numbers = Numbers(language, zone, site.currency)
                words = say_recommendation(item.code, item.figures, numbers)
                sentence = f"{words.title}. {words.text}"
                terms.update(terms_of(sentence, language))
                sentences.append(sentence)
            texts.append(" ".join(sentences))
            described.append(replace(item, terms=frozenset(terms)))
        embedded = embed_if_there(self.embedder, texts, role="passage")
        if self.embedder is None or embedded is None:
            return described
        model = self.embedder.model
        vectors = np.asarray(embedded, dtype=float)
        pairs = zip(described, vectors, strict=True)
        return [replace(item, model=model, vector=vector) for item, vector in pairs]


def _describe_document(source: DocumentSource, model: str | None) -> Item:
    opening = " ".join(source.opening.split())
    excerpt = opening
    if len(opening) > _OPENING:
        excerpt = opening[:_OPENING].rsplit(" ", 1)[0] + " …"
    language: DocumentLanguage | None = None
    if source.language in get_args(DocumentLanguage):
        language = cast("DocumentLanguage", source.language)
    return Item(
        item_id=_name("document", source.document_id),
        kind="document",
        code="document",
        figures={"title": source.title, "opening": excerpt},
        document_id=source.document_id,
        language=source.language,
        terms=frozenset(terms_of(f"{source.title}\n{opening}", language)),
        model=None if source.vector is None else model,
        vector=source.vector,
    )


def _describe_tip(tip: Tip, site: Site) -> Item:
    return Item(
        item_id=_name(site.name, tip.code, tip.key),
        kind="tip",
        code=tip.code,
        figures=tip.figures,
        currency=site.currency,
        saving_cost_per_year=tip.saving.value,
        saving_low=tip.saving.low,
        saving_high=tip.saving.high,
    )


def _describe_departure(proposed: ProposedDeparture, site_id: str) -> Item:
    item_id = _name(site_id, "departure", proposed.departure_id)
    return Item(item_id, "tip", "departure", list_figures(proposed))


def read_days(connection: Connection, site: Site, now: datetime) -> RecordedDays | None:
    """Return the completely recorded days of a site's last year; None without its prices."""
    zone = parse_zone(site.timezone)
    last = now.astimezone(zone).date() - timedelta(days=1)
    timeline = local_days(max(last - _YEAR, date(1970, 1, 2)), last, zone)
    try:
        spot = prices.read_tariff(connection, site, timeline, settled=True)
        priced = price_slots(site.tariff, timeline, zone=zone, spot=spot)
    except InvalidInputError:
        return None
    series = quality.read_usable(connection, site, timeline, _SERIES)
    charges = read_tariff_charges(connection, site, timeline)
    return cut_days(timeline, zone, series, priced, charges=charges)


def _replayed(connection: Connection, site_id: str) -> Iterator[Item]:
    """Yield the replayed variants that would have cost less, the latest of each."""
    item_ids: set[str] = set()
    for what_if_id, _, question in what_ifs.list_of_site(connection, site_id, limit=_QUESTIONS):
        _, reply, _ = what_ifs.read_answer(connection, what_if_id)
        changes = {variant.name: set(variant.site) for variant in question.variants}
        if reply is None:
            continue
        for variant in reply.variants:
            kind: ItemKind = "tariff" if changes.get(variant.name) == {"tariff"} else "what_if"
            item_id = _name(reply.site, kind, variant.name)
            saving = variant.savings_per_year
            # Too few days give no yearly figure, and a variant that saves nothing is no advice.
            if saving is None or saving.value is None or saving.value <= 0 or item_id in item_ids:
                continue
            item_ids.add(item_id)
            figures = {
                "first": reply.from_day.isoformat(),
                "last": reply.to_day.isoformat(),
                "days": reply.days,
                "name": variant.name,
                "paid": reply.baseline.total,
                "instead": variant.total,
            }
            yield Item(
                item_id=item_id,
                kind=kind,
                code="tariff_replayed" if kind == "tariff" else "what_if",
                figures=figures,
                currency=reply.currency,
                saving_cost_per_year=saving.value,
                saving_low=saving.low,
                saving_high=saving.high,
                what_if_id=reply.what_if_id,
            )


def _offers(site: Site, replayed: Iterable[Item]) -> Iterator[Item]:
    """Yield a spot tariff of the site's country, without a saving, if none was replayed yet."""
    if any(item.kind == "tariff" for item in replayed):
        return
    if site.tariff.import_.markets:
        return
    country = COUNTRIES.get(site.country or "")
    if country is None:
        alike = [known for known in COUNTRIES.values() if known.timezone == site.timezone]
        country = alike[0] if alike else None
    if country is None or not country.markets or country.currency != site.currency:
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


# Age after which showings without a report are deleted.
UNSEEN_FOR = timedelta(days=30)

log = structlog.get_logger("luna.rag")


def refresh(
    database: Engine,
    request: RefreshRecommendationsRequest,
    *,
    embedder: Embedder | None,
    now: datetime,
) -> RefreshRecommendationsReply:
    """Write the items of one site or of all, withdraw old ones, and delete unseen showings.

    Run twice, it changes nothing the second time.

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
    failed = []
    for site_id in site_ids:
        count = isolate(partial(_refresh_site, database, stock, site_id), partial(_note, site_id))
        if count is None:
            failed.append(site_id)
        else:
            counts.append(count)
    return RefreshRecommendationsReply(
        sites=len(site_ids),
        written=sum(written for written, _ in counts),
        withdrawn=sum(withdrawn for _, withdrawn in counts),
        failed=failed,
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
