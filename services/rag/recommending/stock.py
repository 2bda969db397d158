"""What there is to recommend: documents, tips of each site, tariffs and what-ifs that were replayed."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import get_args

import numpy as np
from sqlalchemy import Connection

from luna.contracts.counterfactual import VariantReply, WhatIfReply, WhatIfRequest
from luna.contracts.documents import DocumentLanguage
from luna.contracts.recommendations import ItemKind
from luna.energy.economics import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site, SpotPrice
from luna.energy.site.countries import COUNTRIES
from luna.energy.timeline import local_days, parse_zone
from luna.platform.database import prices, quality, recommendation_items, sites, what_ifs
from luna.platform.database.recommendation_items import DocumentSource, Item
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
        """Write an item for each document that searches find; return how many are new or changed, and how many were withdrawn."""
        sources = recommendation_items.list_documents(connection, model=self.embedder.model if self.embedder else None)
        keys = [None, *(sites.key_of(connection, name) for name in sites.names(connection))]
        by_site: dict[int | None, list[Item]] = {key: [] for key in keys}
        for key, documents in groupby(sorted(sources, key=lambda each: each.site_key or 0), key=lambda each: each.site_key):
            by_site[key] = [self._describe_document(each) for each in documents]
        counts = [recommendation_items.write(connection, items, site_key=key, kinds=["document"], now=self.now) for key, items in by_site.items()]
        return sum(written for written, _ in counts), sum(withdrawn for _, withdrawn in counts)

    def refresh_site(self, connection: Connection, site_id: str) -> tuple[int, int]:
        """Write the tips, tariffs and what-ifs of a site; return as above.

        Raises:
            NotFoundError: no such site.
        """
        site = sites.load(connection, site_id)
        replayed = list(_replayed(connection, site_id))
        items = [*_tips(connection, site, self.now), *replayed, *_offers(site, replayed)]
        return recommendation_items.write(connection, self._describe(items, site), site_key=sites.key_of(connection, site_id), kinds=OF_SITES, now=self.now)

    def _describe_document(self, source: DocumentSource) -> Item:
        opening = " ".join(source.opening.split())
        excerpt = opening if len(opening) <= _OPENING else opening[:_OPENING].rsplit(" ", 1)[0] + " …"
        model = None if source.vector is None or self.embedder is None else self.embedder.model
        return Item(
            item_id=_name("document", source.document_id),
            kind="document",
            code="document",
            figures={"title": source.title, "opening": excerpt},
            document_id=source.document_id,
            language=source.language,
            terms=frozenset(terms_of(f"{source.title}\n{opening}", _document_language(source.language))),
            model=model,
            vector=source.vector,
        )

    def _describe(self, items: Sequence[Item], site: Site) -> list[Item]:
        """Return items with the stems and the vector of their words in both languages."""
        texts = [_text(item, site) for item in items]
        stems = [frozenset(term for language, text in each.items() for term in terms_of(text, language)) for each in texts]
        embedded = embed_if_there(self.embedder, [" ".join(each.values()) for each in texts], role="passage")
        if self.embedder is None or embedded is None:
            return [replace(item, terms=terms) for item, terms in zip(items, stems, strict=True)]
        vectors = np.asarray(embedded, dtype=float)
        return [replace(item, terms=terms, model=self.embedder.model, vector=row) for item, terms, row in zip(items, stems, vectors, strict=True)]


def read_days(connection: Connection, site: Site, now: datetime) -> RecordedDays | None:
    """Return the days of a site's last year that are recorded as a whole, under the prices of its tariff; None where its prices are not there."""
    zone = parse_zone(site.timezone)
    last = now.astimezone(zone).date() - timedelta(days=1)
    timeline = local_days(max(last - _YEAR, date(1970, 1, 2)), last, zone)
    try:
        priced = price_slots(site.tariff, timeline, zone=zone, spot=prices.read_tariff(connection, site, timeline))
    except InvalidInputError:
        return None
    return cut_days(timeline, zone, quality.read_usable(connection, site, timeline, _SERIES), priced)


def _tips(connection: Connection, site: Site, now: datetime) -> Iterator[Item]:
    days = read_days(connection, site, now)
    for each in find_tips(site, days) if days else []:
        yield Item(
            item_id=_name(site.name, each.code, each.key),
            kind="tip",
            code=each.code,
            figures=each.figures,
            currency=site.currency,
            saving_cost_per_year=each.saving.value,
            saving_low=each.saving.low,
            saving_high=each.saving.high,
        )


def _replayed(connection: Connection, site_id: str) -> Iterator[Item]:
    """Yield what was replayed and would have cost less; of a repeated question the later one."""
    item_ids: set[str] = set()
    for what_if_id, _, question in what_ifs.list_of_site(connection, site_id, limit=_QUESTIONS):
        _, reply, _ = what_ifs.read_answer(connection, what_if_id)
        for item in _items_of(question, reply) if reply else ():
            if item.item_id not in item_ids:
                item_ids.add(item.item_id)
                yield item


def _items_of(question: WhatIfRequest, reply: WhatIfReply) -> Iterator[Item]:
    variants = {each.name: each for each in question.variants}
    for variant in reply.variants:
        tariff_alone = variant.name in variants and set(variants[variant.name].site) == {"tariff"}
        saving = variant.savings_per_year
        # Too few days say nothing of a year, and what is never less than nothing is no advice.
        if saving is not None and saving.value is not None and saving.value > 0:
            yield _replayed_item(reply, variant, "tariff" if tariff_alone else "what_if")


def _replayed_item(reply: WhatIfReply, variant: VariantReply, kind: ItemKind) -> Item:
    span = {"first": reply.from_day.isoformat(), "last": reply.to_day.isoformat(), "days": reply.days}
    saving = variant.savings_per_year
    return Item(
        item_id=_name(reply.site, kind, variant.name),
        kind=kind,
        code="tariff_replayed" if kind == "tariff" else "what_if",
        figures=span | {"name": variant.name, "paid": reply.baseline.total, "instead": variant.total},
        currency=reply.currency,
        saving_cost_per_year=saving.value if saving else None,
        saving_low=saving.low if saving else None,
        saving_high=saving.high if saving else None,
        what_if_id=reply.what_if_id,
    )


def _offers(site: Site, replayed: Iterable[Item]) -> Iterator[Item]:
    """Yield a tariff of the site's country that nobody has replayed yet; nothing is claimed of it."""
    country = COUNTRIES.get(site.country or "") or next((each for each in COUNTRIES.values() if each.timezone == site.timezone), None)
    compared = any(each.kind == "tariff" for each in replayed)
    if country is None or not country.markets or country.currency != site.currency or isinstance(site.tariff.import_, SpotPrice) or compared:
        return
    figures = {"market": country.markets[0], "markup": country.markup, "vat": country.vat}
    yield Item(_name(site.name, "tariff", "spot", country.markets[0]), "tariff", "tariff_offer", figures, currency=site.currency)


def _text(item: Item, site: Site) -> dict[DocumentLanguage, str]:
    recommendations = {
        language: say_recommendation(item.code, item.figures, Numbers(language, parse_zone(site.timezone), site.currency))
        for language in get_args(DocumentLanguage)
    }
    return {language: f"{words.title}. {words.text}" for language, words in recommendations.items()}


def _document_language(language: str | None) -> DocumentLanguage | None:
    return language if language in get_args(DocumentLanguage) else None  # type: ignore[return-value]


def _name(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
