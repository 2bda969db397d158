"""Why a device does what it does, as data: the wordings of each reason, what their figures are, and the limits at work."""

from functools import cache
from itertools import count, takewhile

from luna.energy.devices import DEVICE_KINDS
from luna.words.catalogue import CatalogueMessage
from luna.words.language import Language
from luna.words.phrases import Phrases

# No short wording is longer, whatever its figures.
SHORT_LENGTH = 60

# What figures of reasons are: name → how it is said. Prices are per kWh.
FIGURES: dict[str, str] = {
    "kwh": "energy",
    "buy": "price",
    "sell": "price",
    "price": "price",
    "value": "price",
    "refill": "price",
    # What the surplus that fills the battery later would sell for.
    "sun": "price",
    # What has to be paid for feeding in, or is paid for drawing: a price below zero without its sign.
    "fee": "price",
    # A bought kWh with what is lost until it is used; what using, or storing, a kWh now would bring after losses and wear.
    "loaded": "price",
    "save": "price",
    "keep": "price",
    # The import price with what counts beside money.
    "counted": "price",
    "dearest": "price",
    "reserve": "share",
    "soc": "share",
    "least": "share",
    "most": "share",
    "count": "count",
    "total": "count",
    "kw": "power",
    "held": "energy",
    # What the planner would charge, or give, where what was learned is followed, and what following that costs, or gains, by the planner's value.
    "takes": "energy",
    "gives": "energy",
    "gain": "money",
    "cost": "money",
    "hours": "hours",
    "time": "time",
    # The slot's own start; it decides whether a time needs its weekday.
    "start": "start",
} | {name: form for kind in DEVICE_KINDS for name, form in kind.reason_figures.items()}

Pairs = tuple[tuple[str, str], ...]
# By reason, the figures that its sentence sets against each other, the lower first: both are shown with as many decimals as it takes to see which is which.
COMPARED: dict[str, Pairs] = {
    "brought_back": (("soc", "least"), ("most", "soc")),
    "outside_limits": (("soc", "least"), ("most", "soc")),
    "charge_cheap": (("buy", "price"), ("loaded", "price"), ("buy", "value")),
    "store_surplus": (("sell", "price"), ("sell", "value")),
    "follow_house": (("sell", "value"), ("value", "buy")),
    "sell_high": (("value", "sell"), ("refill", "sell"), ("sun", "sell")),
    "serve_peak": (("value", "buy"), ("value", "save"), ("refill", "buy"), ("sun", "buy")),
    "serve_part": (("value", "buy"), ("value", "save"), ("refill", "buy"), ("sun", "buy")),
    "hold_for_peak": (("buy", "price"), ("buy", "value"), ("save", "value")),
    "keep_room": (("refill", "sell"), ("sun", "sell"), ("value", "sell"), ("keep", "sell")),
} | {code: pairs for kind in DEVICE_KINDS for code, pairs in kind.compared_figures.items()}

# What keeps a battery from doing more, or makes it do something whatever prices are; why it trades now or later; why other devices run or wait.
_FULL = Phrases(("battery_reasons", "trade_reasons"), "reason_", devices="reason_")
# They fit a small screen (``SHORT_LENGTH``), the last of each needs no figure.
_SHORT = Phrases(("battery_reasons", "trade_reasons"), "short_", devices="short_")
# The limits at work in a slot, by code.
LIMITS = Phrases("battery_reasons", "limit_")


@cache
def list_reason_codes() -> tuple[str, ...]:
    """Return the codes of all reasons."""
    return tuple(name.removesuffix("_1") for name in _FULL if name.endswith("_1"))


def find_wordings(code: str, language: Language, *, short: bool = False) -> tuple[CatalogueMessage, ...]:
    """Return the wordings of a reason in order of preference: the first whose figures are all there is said; none where it has no words."""
    phrases = _SHORT if short else _FULL
    wordings = (phrases.find(f"{code}_{place}", language) for place in count(1))
    return tuple(message for message in takewhile(lambda each: each is not None, wordings) if message is not None)
