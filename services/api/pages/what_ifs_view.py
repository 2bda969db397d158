"""Variants as a form has them, and the answer as its page says it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from markupsafe import Markup
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from luna.contracts.counterfactual import Estimate, VariantReply, WhatIfReply, WhatIfRequest, WhatIfState
from luna.energy.instant import Day
from luna.energy.site import Site
from luna.words import Numbers, say_policy
from luna.words.charts import draw_bill_chart
from luna.words.numbers import read_number
from luna.words.pages import PageWords
from luna.words.refusals import SpokenError, say_problem

# A battery for a house that has none.
NEW_BATTERY = {"capacity_kwh": 10.0, "charge_limit_kw": 5.0, "discharge_limit_kw": 5.0}
# Less is rounding.
LITTLE_MONEY = 0.005
_EmptyIsNone = BeforeValidator(lambda value: None if value == "" else value)


class VariantForm(BaseModel):
    """The fields of the form; what is left as it is makes no variant."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[Day | None, _EmptyIsNone, Field(alias="from")] = None
    to: Annotated[Day | None, _EmptyIsNone] = None
    battery: Literal["1", "0", "0.5", "1.5", "2"] = "1"
    pv: Literal["1", "0", "1.5", "2"] = "1"
    fixed_price: Annotated[str, Field(max_length=16)] = ""
    investment: Annotated[str, Field(max_length=16)] = ""
    expert: Annotated[str, Field(max_length=20_000)] = ""

    def variants(self, site: Site, numbers: Numbers, words: PageWords) -> list[dict[str, Any]]:
        """Return the variants that the form describes, each change by itself; what they cost once goes with the devices.

        Raises:
            SpokenError: nothing is changed, a price is no number, or the own change is no JSON object.
        """
        paid = _read_number(self.investment, "investment", words)
        cost = {} if paid is None else {"investment": paid}
        price = _read_number(self.fixed_price, "fixed_price", words)
        found = [
            *([self._battery(site, numbers, words) | cost] if self.battery != "1" else []),
            *([self._pv(site, numbers, words) | cost] if self.pv != "1" else []),
            *([{"name": words("name_price", price=numbers.price(price, decimals=1)), "site": _fix_price(price)}] if price is not None else []),
            *([{"name": words("name_expert"), "site": _read_json(self.expert, words)} | cost] if self.expert.strip() else []),
        ]
        if not found:
            raise SpokenError(words("nothing_changed"), field="battery")
        return found

    def _battery(self, site: Site, numbers: Numbers, words: PageWords) -> dict[str, Any]:
        factor = float(self.battery)
        if factor == 0:
            return {"name": words("name_no_battery"), "site": {"batteries": []}}
        if not site.batteries:
            capacity = NEW_BATTERY["capacity_kwh"] * factor / 2
            return {
                "name": words("battery_new", capacity=numbers.energy(capacity)),
                "site": {"batteries": {"battery": NEW_BATTERY | {"capacity_kwh": capacity}}},
            }
        larger = {each.name: {"capacity_kwh": each.capacity_kwh * factor} for each in site.batteries}
        return {"name": words("name_battery", factor=_say_factor(factor, numbers)), "site": {"batteries": larger}}

    def _pv(self, site: Site, numbers: Numbers, words: PageWords) -> dict[str, Any]:
        factor = float(self.pv)
        if factor == 0:
            return {"name": words("name_no_pv"), "site": {"pv": []}}
        larger = {each.name: {"peak_kw": each.peak_kw * factor} for each in site.pv}
        return {"name": words("name_pv", factor=_say_factor(factor, numbers)), "site": {"pv": larger}}


def _say_factor(factor: float, numbers: Numbers) -> str:
    return numbers.number(factor, 0 if factor == int(factor) else 1)


def _fix_price(price: float) -> dict[str, Any]:
    return {"tariff": {"import": {"kind": "fixed", "price": price}}}


def _read_number(text: str, field: str, words: PageWords) -> float | None:
    if not text.strip():
        return None
    number = read_number(text)
    if number is None:
        raise SpokenError(words("no_number"), field=field, value=text)
    return number


def _read_json(text: str, words: PageWords) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise SpokenError(words("no_json", said=str(exc)[:200]), field="expert") from exc
    if not isinstance(document, dict):
        raise SpokenError(words("no_json", said=type(document).__name__), field="expert")
    return document


@dataclass(frozen=True)
class AnswerView:
    """An answer as its page says it, or how far it is."""

    state: WhatIfState
    question: WhatIfRequest
    numbers: Numbers
    words: PageWords

    @property
    def reply(self) -> WhatIfReply | None:
        """The answer, the house as it is named in the reader's words; None as long as there is none."""
        found = self.state.reply
        if found is None:
            return None
        return found.model_copy(update={"baseline": found.baseline.model_copy(update={"name": self.words("name_baseline")})})

    @property
    def done(self) -> int:
        """How many replays are over."""
        return sum(each.done for each in self.state.variants)

    @property
    def headline(self) -> str:
        """The first sentence: the variant that would have saved the most."""
        if self.reply is None:
            return self.words("open", done=self.done, total=len(self.state.variants))
        best = max(self.reply.variants, key=lambda each: each.savings)
        if best.savings < -LITTLE_MONEY:
            return self.words("result_worse", name=best.name, lost=self.numbers.money(-best.savings))
        return self.words("result_headline", name=best.name, saved=self.numbers.money(best.savings))

    @property
    def note(self) -> str:
        """Who decided in the replays, over how many days, from which forecasts."""
        reply = self.reply
        if reply is None:
            return ""
        policy = say_policy(reply.policy, language=self.numbers.language)
        outlook = self.words("outlook_" + reply.outlook) if self.words.knows("outlook_" + reply.outlook) else reply.outlook
        return self.words("policy", policy=policy, days=reply.days, outlook=outlook)

    @property
    def errors(self) -> list[str]:
        """What went wrong."""
        return [str(say_problem(each.error, self.numbers.language)) for each in self.state.variants if each.error is not None and not each.done]

    def rows(self) -> list[tuple[str, Sequence[str]]]:
        """The house as it is and each variant: bill, saved, a year, payback, bought, sold."""
        reply = self.reply
        return [] if reply is None else [(each.name, self._say(each, first=each is reply.baseline)) for each in (reply.baseline, *reply.variants)]

    def _say(self, variant: VariantReply, *, first: bool) -> list[str]:
        numbers = self.numbers
        return [
            numbers.money(variant.total),
            "–" if first else numbers.money(variant.savings, signed=True),
            self._say_year(variant.savings_per_year),
            self._say_payback(variant.payback_years),
            numbers.energy(variant.import_kwh),
            numbers.energy(variant.export_kwh),
        ]

    def _say_year(self, estimate: Estimate | None) -> str:
        if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
            return "–"
        between = self.words("between", low=self.numbers.money(estimate.low), high=self.numbers.money(estimate.high))
        return f"{self.numbers.money(estimate.value)} ({between})"

    def _say_payback(self, estimate: Estimate | None) -> str:
        return "–" if estimate is None or estimate.value is None else self.words("years", years=self.numbers.number(estimate.value, 1))

    def draw(self) -> list[Markup]:
        """Draw the bills wide and narrow."""
        reply = self.reply
        return [] if reply is None else [draw_bill_chart(reply, language=self.numbers.language, narrow=narrow) for narrow in (False, True)]
