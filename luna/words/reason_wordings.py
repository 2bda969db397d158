"""Reasons of plans as data: their wordings, the kinds of their figures, and active limits."""

from functools import cache

from luna.energy.devices import DEVICE_KINDS
from luna.words.catalogue import CatalogueMessage
from luna.words.language import Language
from luna.words.phrases import Phrases

# Longest short wording, with any figures.
SHORT_LENGTH = 60

# Figure of a reason → its format. Prices are per kWh.
FIGURES: dict[str, str] = {
    "kwh": "energy",
    "buy": "price",
    "sell": "price",
    "price": "price",
    "value": "price",
    # A negative feed-in price, and a negative import price, without their signs.
    "fee": "price",
    "paid": "price",
    # Gain of storing a kWh now, after losses and wear.
    "keep": "price",
    # The import price with the objective's other weights.
    "counted": "price",
    "dearest": "price",
    "reserve": "share",
    # Battery level required at the end of the plan.
    "target": "share",
    "soc": "share",
    "least": "share",
    "most": "share",
    "count": "count",
    "total": "count",
    "kw": "power",
    "held": "energy",
    # Where a learned policy decides: the planner's own charge or discharge.
    "takes": "energy",
    "gives": "energy",
    "cost": "money",
    "hours": "hours",
    "time": "time",
    # The slot's own start, which decides whether a time needs its weekday.
    "start": "start",
} | {name: form for kind in DEVICE_KINDS for name, form in kind.plan.reasons.forms.items()}

Pairs = tuple[tuple[str, str], ...]
# Reason → pairs of figures that its sentence compares, the lower first: both get the decimals that
# distinguish them.
COMPARED: dict[str, Pairs] = {
    "outside_limits": (("soc", "least"), ("most", "soc")),
    "charge_from_grid": (("buy", "price"), ("buy", "value")),
    "store_solar": (("sell", "price"), ("sell", "value")),
    "sell_stored": (("value", "sell"),),
    "serve_house": (("value", "buy"),),
    "hold_for_peak": (("buy", "price"), ("buy", "value")),
    "sell_solar": (("keep", "sell"),),
    "use_waits": (("price", "buy"),),
} | {code: pairs for kind in DEVICE_KINDS for code, pairs in kind.plan.reasons.compared.items()}

# Kinds of devices share ``device_reasons`` and add their own.
_FULL = Phrases(
    ("battery_reasons", "trade_reasons", "device_reasons"), "reason_", devices="reason_"
)
# At most ``SHORT_LENGTH`` characters; the last wording of each reason needs no figure.
_SHORT = Phrases(("battery_reasons", "trade_reasons", "device_reasons"), "short_", devices="short_")
# The active limits of a slot, by code.
LIMITS = Phrases("battery_reasons", "limit_")


@cache
def list_reason_codes() -> tuple[str, ...]:
    """Return the codes of all reasons."""
    return tuple(name.removesuffix("_1") for name in _FULL if name.endswith("_1"))


def find_wordings(
    code: str, language: Language, *, short: bool = False
) -> tuple[CatalogueMessage, ...]:
    """Return the wordings of a reason in order of preference.

    The first one with all its figures is used. An unknown reason has none.
    """
    phrases = _SHORT if short else _FULL
    wordings: list[CatalogueMessage] = []
    while True:
        message = phrases.find(f"{code}_{len(wordings) + 1}", language)
        if message is None:
            return tuple(wordings)
        wordings.append(message)
