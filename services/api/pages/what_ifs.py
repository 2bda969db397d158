"""Page What-if: savings with another battery, tariff or roof.

A form submits replays as jobs, and their result is drawn.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Literal

from fastapi import Form, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection

from luna.contracts.plan import PlanReply
from luna.contracts.variant import (
    PlanVariantReply,
    PlanVariantRequest,
    VariantReply,
    WhatIfReply,
    WhatIfRequest,
    WhatIfState,
)
from luna.energy.account import EnergyAccount
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site, invalid_input
from luna.energy.timeline import Day, local_days, parse_zone
from luna.house.account import list_as_recorded, read_account
from luna.house.what_if_questions import read_state, submit_what_if
from luna.platform.database import plans, recorded_span, sites, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.words import Numbers, say_policy
from luna.words.charts.bill import draw_bill_chart
from luna.words.devices import list_devices
from luna.words.numbers import HALF_CENT, read_number, say_day
from luna.words.pages import PageWords
from luna.words.refusals import SpokenError, say_problem
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.job_part import SitePath
from services.api.pages.layout import (
    EMPTY_IS_NONE,
    PAGES,
    PageRoute,
    Reader,
    numbers_of,
    show,
    show_part,
    words_of,
)
from services.api.routing import ResourceRouter

# The battery of a variant for a house without one.
NEW_BATTERY = {"capacity_kwh": 10.0, "charge_limit_kw": 5.0, "discharge_limit_kw": 5.0}


class VariantForm(BaseModel):
    """The fields of the form; an unchanged field makes no variant."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[Day | None, EMPTY_IS_NONE, Field(alias="from")] = None
    to: Annotated[Day | None, EMPTY_IS_NONE] = None
    battery: Literal["1", "0", "0.5", "1.5", "2"] = "1"
    pv: Literal["1", "0", "1.5", "2"] = "1"
    fixed_price: Annotated[str, Field(max_length=16)] = ""
    investment: Annotated[str, Field(max_length=16)] = ""
    expert: Annotated[str, Field(max_length=20_000)] = ""

    def variants(self, site: Site, numbers: Numbers, words: PageWords) -> list[dict[str, Any]]:
        """Return a variant for each changed field.

        The investment belongs to those that change devices.

        Raises:
            SpokenError: nothing is changed, a price is no number, or the expert's change is no JSON
                object.
        """
        investment = _read_number(self.investment, "investment", words)
        cost = {} if investment is None else {"investment": investment}
        price = _read_number(self.fixed_price, "fixed_price", words)
        expert = self._read_expert(words)
        variants = []
        if self.battery != "1":
            variants.append(self._battery(site, numbers, words) | cost)
        if self.pv != "1":
            variants.append(self._pv(site, numbers, words) | cost)
        if price is not None:
            name = words("name_price", price=numbers.price(price, decimals=1))
            tariff = {"import": {"kind": "fixed", "price": price}}
            variants.append({"name": name, "site": {"tariff": tariff}})
        if expert is not None:
            variants.append({"name": words("name_expert"), "site": expert} | cost)
        if not variants:
            raise SpokenError(words("nothing_changed"), field="battery")
        return variants

    def _read_expert(self, words: PageWords) -> dict[str, Any] | None:
        if not self.expert.strip():
            return None
        try:
            expert = json.loads(self.expert)
        except (ValueError, RecursionError) as exc:
            raise SpokenError(words("no_json"), field="expert") from exc
        if not isinstance(expert, dict):
            raise SpokenError(words("no_json"), field="expert")
        return expert

    def _battery(self, site: Site, numbers: Numbers, words: PageWords) -> dict[str, Any]:
        factor = float(self.battery)
        if factor == 0:
            return {"name": words("name_no_battery"), "site": {"batteries": []}}
        if not site.batteries:
            capacity_kwh = NEW_BATTERY["capacity_kwh"] * factor / 2
            name = words("battery_new", capacity=numbers.energy(capacity_kwh))
            battery = NEW_BATTERY | {"capacity_kwh": capacity_kwh}
            return {"name": name, "site": {"batteries": {"battery": battery}}}
        batteries = {
            battery.name: {"capacity_kwh": battery.capacity_kwh * factor}
            for battery in site.batteries
        }
        name = words("name_battery", factor=_say_factor(factor, numbers))
        return {"name": name, "site": {"batteries": batteries}}

    def _pv(self, site: Site, numbers: Numbers, words: PageWords) -> dict[str, Any]:
        factor = float(self.pv)
        if factor == 0:
            return {"name": words("name_no_pv"), "site": {"pv": []}}
        arrays = {array.name: {"peak_kw": array.peak_kw * factor} for array in site.pv}
        name = words("name_pv", factor=_say_factor(factor, numbers))
        return {"name": name, "site": {"pv": arrays}}


def _say_factor(factor: float, numbers: Numbers) -> str:
    return numbers.number(factor, 0 if factor == int(factor) else 1)


def _read_number(text: str, field: str, words: PageWords) -> float | None:
    if not text.strip():
        return None
    number = read_number(text)
    if number is None:
        raise SpokenError(words("no_number"), field=field, value=text)
    return number


@dataclass(frozen=True)
class AnswerView:
    """A what-if reply in the reader's words, or its progress.

    A replay covers house and batteries and gives differences. ``account`` has the metered energies
    and the cost of the whole home on the same days.
    """

    state: WhatIfState
    question: WhatIfRequest
    account: EnergyAccount | None
    as_recorded: Sequence[str]
    numbers: Numbers
    words: PageWords

    @property
    def reply(self) -> WhatIfReply | None:
        """The reply; None until it is there."""
        return self.state.reply

    @property
    def finished(self) -> int:
        """The number of finished replays."""
        return sum(variant.done for variant in self.state.variants)

    @property
    def headline(self) -> str:
        """The first sentence: the variant with the highest savings."""
        if self.reply is None:
            return self.words("open", done=self.finished, total=len(self.state.variants))
        best = max(self.reply.variants, key=attrgetter("savings"))
        if best.savings < -HALF_CENT:
            lost = self.numbers.money(-best.savings)
            return self.words("result_worse", name=best.name, lost=lost)
        return self.words("result_headline", name=best.name, saved=self.numbers.money(best.savings))

    @property
    def note(self) -> str:
        """Policy, number of days and forecasts of the replays."""
        reply = self.reply
        if reply is None:
            return ""
        policy = say_policy(reply.policy, language=self.numbers.language)
        outlook = reply.outlook
        if self.words.knows("outlook_" + outlook):
            outlook = self.words("outlook_" + outlook)
        return self.words("policy", policy=policy, days=reply.days, outlook=outlook)

    @property
    def errors(self) -> list[str]:
        """The errors of failed replays."""
        errors = [variant.error for variant in self.state.variants if not variant.done]
        language = self.numbers.language
        return [str(say_problem(error, language)) for error in errors if error is not None]

    @property
    def kept(self) -> str:
        """The devices that stay as recorded, "" without any."""
        if not self.as_recorded:
            return ""
        devices = list_devices(self.as_recorded, self.numbers.language)
        return self.words("as_recorded", devices=devices)

    @property
    def counted(self) -> str:
        """The home's cost, purchase and sale on these days by its meters."""
        account = self.account
        numbers = self.numbers
        if account is None or account.energy_cost is None:
            return self.words("counted_unknown")
        export = account.flow("export")
        sold = self.words("not_recorded") if export is None else numbers.energy(export.energy_kwh)
        text = self.words(
            "counted",
            cost=numbers.money(account.energy_cost),
            bought=numbers.energy(account.energy("import")),
            sold=sold,
        )
        if account.priced == 1.0:
            return text
        return f"{text} {self.words('counted_partly', share=numbers.share(account.priced))}"

    def rows(self) -> list[tuple[str, Sequence[str]]]:
        """Return the figures of each variant.

        Savings, savings per year, payback, and the changes of purchase and sale.
        """
        reply = self.reply
        if reply is None:
            return []
        baseline = reply.baseline
        return [(variant.name, self._describe(variant, baseline)) for variant in reply.variants]

    def _describe(self, variant: VariantReply, baseline: VariantReply) -> list[str]:
        numbers = self.numbers
        payback = "–"
        if variant.payback_years is not None and variant.payback_years.value is not None:
            years = numbers.number(variant.payback_years.value, 1)
            payback = self.words("years", years=years)
        return [
            numbers.money(variant.savings, signed=True),
            self._say_savings_per_year(variant),
            payback,
            self._say_difference(variant.import_kwh - baseline.import_kwh),
            self._say_difference(variant.export_kwh - baseline.export_kwh),
        ]

    def _say_savings_per_year(self, variant: VariantReply) -> str:
        year = variant.savings_per_year
        if year is None or year.value is None or year.low is None or year.high is None:
            return "–"
        low = self.numbers.money(year.low)
        high = self.numbers.money(year.high)
        bounds = self.words("between", low=low, high=high)
        return f"{self.numbers.money(year.value)} ({bounds})"

    def _say_difference(self, energy_kwh: float) -> str:
        return f"{self.numbers.number(energy_kwh, 1, signed=True)}\u00a0kWh"

    def draw(self) -> list[Markup]:
        """Draw the bills wide and narrow."""
        if self.reply is None:
            return []
        language = self.numbers.language
        return [
            draw_bill_chart(self.reply, language=language, narrow=False),
            draw_bill_chart(self.reply, language=language, narrow=True),
        ]


router = ResourceRouter(route_class=PageRoute)

PAGE = PAGES["what_ifs"]
MOST_QUESTIONS = 8
USUAL_DAYS = 28
QuestionPath = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """The effect of one variant on the plan in force."""

    name: str
    reply: PlanVariantReply


@router.page("GET", "/ui/sites/{site_id}/what-ifs", "read")
def show_what_ifs(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show the form and the earlier questions."""
    return _show(request, gateway, site_id, VariantForm())


@router.page("GET", "/ui/sites/{site_id}/what-ifs/plan", "analyse")
async def show_plan_variants(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    form: Annotated[VariantForm, Query()],
) -> Response:
    """Show the effect of each variant of the form on the plan in force; nothing is stored."""
    answers: list[PlanAnswer] = []
    refusal: LunaError | None = None
    try:
        answers = await _ask_variants(gateway, request, site_id, form)
    except LunaError as error:
        # The form is shown in any case.
        refusal = error
    show_page = partial(_show, request, gateway, site_id, form)
    return await run_in_threadpool(show_page, answers=answers, refusal=refusal)


async def _ask_variants(
    gateway: Gateway, request: Request, site_id: str, form: VariantForm
) -> list[PlanAnswer]:
    def load(connection: Connection) -> tuple[Site, PlanReply | None]:
        site = sites.load(connection, site_id)
        return site, plans.latest(connection, site_id, now=gateway.clock.now())

    site, plan = await gateway.in_unit(load)
    words = words_of(request, PAGE)
    language = Reader.of(request).language
    if plan is None:
        raise SpokenError(words("no_plan"), field="plan")
    answers = []
    for variant in form.variants(site, numbers_of(request, site), words):
        document = {"plan_id": plan.plan_id, "variant": variant, "language": language}
        answer = await gateway.ask(PlanVariantRequest.model_validate(document))
        reply = PlanVariantReply.model_validate_json(bytes(answer.body))
        answers.append(PlanAnswer(variant["name"], reply))
    return answers


@router.page("POST", "/ui/sites/{site_id}/what-ifs", "analyse")
def ask_days(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    form: Annotated[VariantForm, Form()],
) -> Response:
    """Submit replays of the days under each variant of the form, and lead to the answer."""
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        span = recorded_span.of_site(connection, site_id)
    first, last = _usual_days(site, span) or (None, None)
    document = {
        "site_id": site_id,
        "from_day": form.from_ or first,
        "to_day": form.to or last,
        "variants": form.variants(site, numbers_of(request, site), words_of(request, PAGE)),
        "language": Reader.of(request).language,
    }
    try:
        question = WhatIfRequest.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc
    state = submit_what_if(gateway.database, gateway.queue, question, now=gateway.clock.now())
    return RedirectResponse(f"{PAGE.address(site_id)}/{state.what_if_id}", 303)


@router.page("GET", "/ui/sites/{site_id}/what-ifs/{what_if_id}", "read")
def show_what_if(
    site_id: SitePath, what_if_id: QuestionPath, request: Request, gateway: CurrentGateway
) -> Response:
    """Show the progress of an answer, or the answer."""
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        question = what_ifs.load(connection, what_if_id)
        if question.site_id != site_id:
            raise refuse(
                "not-found",
                field="what_if_id",
                value=what_if_id,
                thing="question",
                source="the page “What if”",
            )
        state = read_state(connection, what_if_id)
        days = local_days(question.from_day, question.to_day, parse_zone(site.timezone))
        account = read_account(connection, site, days, now=gateway.clock.now())
    words = words_of(request, PAGE)
    numbers = numbers_of(request, site)
    view = AnswerView(
        state=state,
        question=question,
        account=account,
        as_recorded=list_as_recorded(site),
        numbers=numbers,
        words=words,
    )
    if request.headers.get("HX-Request"):
        return show_part(request, PAGE, "what_ifs_answer.html.j2", site=site, view=view)
    return show(request, PAGE, template="what_if.html.j2", site=site, view=view)


def _show(
    request: Request, gateway: Gateway, site_id: str, form: VariantForm, **context: Any
) -> Response:
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        questions = what_ifs.list_of_site(connection, site_id, limit=MOST_QUESTIONS)
        days = _usual_days(site, recorded_span.of_site(connection, site_id))
    chosen = (form.from_ or days[0], form.to or days[1]) if days else None
    frame = {"form": form, "questions": questions, "days": chosen, "say_day": say_day}
    return show(request, PAGE, site=site, **({"answers": [], "refusal": None} | context | frame))


def _usual_days(site: Site, span: recorded_span.Span | None) -> tuple[date, date] | None:
    """Return the last four recorded weeks, None without recorded days."""
    if span is None:
        return None
    zone = parse_zone(site.timezone)
    first_recorded = span[0].astimezone(zone).date()
    last = (span[1].astimezone(zone) - timedelta(days=1)).date()
    first = last - timedelta(days=USUAL_DAYS - 1)
    return max(first_recorded, first), max(last, first_recorded)
