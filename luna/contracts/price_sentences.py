"""Sentences on whose prices a plan uses until when."""

from collections.abc import Callable, Sequence
from datetime import datetime

from luna.contracts.plan import PriceSpan
from luna.energy.site import OWN
from luna.words import Numbers
from luna.words.phrases import Phrases

_VERSIONS = Phrases("price_versions")


def format_price_spans(
    spans: Sequence[PriceSpan],
    numbers: Numbers,
    *,
    format_at: Callable[[datetime], str],
    format_market: Callable[[str], str] = str,
) -> list[str]:
    """Return one sentence for a plan's prices, or one per market where they differ.

    Args:
        spans: of one plan, market by market, each market's in order of time.
        numbers: of the reader.
        format_at: writes an instant.
        format_market: writes a market's name.
    """
    spans_of: dict[str, list[PriceSpan]] = {}
    for span in spans:
        spans_of.setdefault(span.market, []).append(span)
    meanings = [(name_spans(own), own[0].to) for own in spans_of.values()]
    language = numbers.language
    if len(set(meanings)) <= 1:
        return [_VERSIONS.say(code, language, t=format_at(end)) for code, end in meanings[:1]]
    sentences = []
    for market, (code, end) in zip(spans_of, meanings, strict=True):
        if market.startswith(OWN):
            name = _VERSIONS.say(f"name_{market.removeprefix(OWN)}", language)
        else:
            name = format_market(market)
        sentence = _VERSIONS.say(code, language, t=format_at(end))
        sentences.append(_VERSIONS.say("of_market", language, market=name, sentence=sentence))
    return sentences


def name_spans(spans: Sequence[PriceSpan]) -> str:
    """Return the code of the sentence on one market's prices."""
    first = spans[0]
    is_published = [span.origin == "published" for span in spans]
    if not any(is_published):
        return "estimate_all"
    if not is_published[0]:
        return "estimate_partly"
    whose = "market"
    if first.market.startswith(OWN):
        whose = "loaded"
    elif first.version == "forecast":
        whose = "forecast"
    if all(is_published):
        return f"{whose}_all"
    return f"{whose}_partly" if any(is_published[1:]) else f"{whose}_until"
