"""Tool: tells how the house stands now, as every surface shows it."""

from dataclasses import replace

from luna.house.now_reader import read_house, read_planned
from luna.house.statements import state_house
from services.rag.tools import cues
from services.rag.tools.declaration import Findings, NoArguments, Tool, ToolContext
from services.rag.tools.plan import plan_source
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.telling import Teller


def match_house(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks how the house stands now."""
    if not question.has(cues.HOUSE_NOW) or question.has(cues.WHY):
        return []
    if cues.find_series(question.text):
        return []
    return [MatchedCall("house_now")]


def tell_house(context: ToolContext, _arguments: NoArguments) -> Findings:
    """Tell the statements on the house that every surface shows."""
    teller = Teller(context)
    planned = read_planned(context.connection, context.site, now=context.now)
    house = read_house(
        context.connection, context.site, planned, plan_max_age=None, now=context.now
    )
    for number, statement in enumerate(state_house(house, context.numbers), start=1):
        teller.state(statement, number)
    sources = () if planned.plan is None else (plan_source(planned.plan),)
    findings = teller.finish(sources=sources)
    return replace(findings, found=house.slot is not None or bool(findings.figures))


TOOL = Tool(
    "house_now",
    "How the house stands now: what the battery does and why, what comes next, what "
    "devices take next and at which cost, when a car leaves and how"
    " full, what today costs, and what the battery saves today and saved yesterday; each "
    "figure measured, planned or assumed.",
    NoArguments,
    tell_house,
)
