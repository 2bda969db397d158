"""What a reason consists of in words: wordings by language, in full and for small screens, and what its figures are."""

from dataclasses import dataclass

from luna.words.language import Language

# No short wording is longer, whatever its figures.
SHORT_LENGTH = 60

# What figures of reasons are: name → how it is said. Prices are per kWh. Kinds of devices have more of their own.
COMMON_FIGURES = {
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
}
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Words:
    """A reason in words, by language in order of preference: the first wording whose figures are all there is said.

    ``short`` wordings fit a small screen (``SHORT_LENGTH``), the last of each needs no figure. ``rises`` names pairs of figures the sentence sets against
    each other, the lower first: both are shown with as many decimals as it takes to see which is which.
    """

    en: tuple[str, ...]
    de: tuple[str, ...]
    short_en: tuple[str, ...]
    short_de: tuple[str, ...]
    rises: Pairs = ()

    def wordings(self, language: Language, *, short: bool = False) -> tuple[str, ...]:
        """Return the wordings of a language, fullest first."""
        english, german = (self.short_en, self.short_de) if short else (self.en, self.de)
        return german if language == "de" else english
