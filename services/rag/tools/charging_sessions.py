"""Tool: tells the sessions of vehicles at their chargers, with the charge they leave with."""

from datetime import timedelta

from luna.contracts.charging_sessions import find_charging_run, lay_out_sessions
from luna.contracts.site_tools import ToolSource
from luna.house.now import DeviceUse, basis_until
from luna.house.statements import state_use
from luna.platform.database.charging_sessions import read_standing
from services.rag.tools.cues import any_of
from services.rag.tools.declaration import Findings, NoArguments, Tool, ToolContext
from services.rag.tools.plan import end_of, find_plan, plan_source
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.telling import Teller

# The next ones; whoever wants all reads the list.
MOST_SESSIONS = 5
A_WEEK = timedelta(days=7)
# Names a car: what is asked then is not about a battery of the house.
CAR = any_of(r"\w*autos?|e-auto|elektroauto|wagen|car|cars|ev|vehicle|vehicles|fahrzeuge?")
_TIME_QUESTION = any_of(r"wann|when|bis wann|until when|wie lange|how long")
_SESSION = any_of(
    r"\w*lader|ladestation|wallbox|laedt|laden|eingesteckt|angesteckt|faehrt|losfaehrt|"
    r"losfahren|abfahr\w*|fertig|voll|geladen|bereit",
    r"plugged|charge|charges|charging|leave|leaves|leaving|depart\w*|ready|full|charger|"
    r"charged|home",
)


def match_sessions(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks when a car charges, leaves or is ready."""
    if question.has(CAR) and question.has(_TIME_QUESTION) and question.has(_SESSION):
        return [MatchedCall("vehicle_sessions")]
    return []


def tell_sessions(context: ToolContext, _arguments: NoArguments) -> Findings:
    """Tell the sessions that are not over yet."""
    teller = Teller(context)
    source = ToolSource(
        what=f"stays of vehicles of site {context.site.name}",
        path=f"/v1/sites/{context.site.name}/vehicle-sessions",
    )
    stored = read_standing(context.connection, context.site.name, first=context.now)
    standing = lay_out_sessions(stored, context.zone, first=context.now, end=context.now + A_WEEK)
    if not standing:
        return teller.miss("no_sessions", (source,))
    plan = find_plan(context)
    for number, session in enumerate(standing[:MOST_SESSIONS], start=1):
        figures = {
            "device": teller.device(f"vehicle_{number}", session.device),
            "begin": teller.moment(f"from_{number}", session.from_, day=True),
            "end": teller.end(f"to_{number}", session.to, begin=session.from_),
        }
        if session.target_soc is None:
            teller.say("session", **figures)
        else:
            teller.say(
                "session_target",
                **figures,
                target=teller.figure(f"target_soc_{number}", session.target_soc, "soc"),
            )
        # Nothing is known of a session beyond the plan.
        if plan is not None and session.from_ < end_of(plan):
            begin = max(session.from_, context.now)
            run = find_charging_run(plan, session.device, begin, session.to)
            if run is None:
                teller.say("session_no_charge")
            else:
                use = DeviceUse(session.device, "car", run, basis_until(plan, run.end))
                teller.state(state_use(use, teller.numbers), number, "charge_")
    return teller.finish(sources=(source,) if plan is None else (source, plan_source(plan)))


TOOL = Tool(
    "vehicle_sessions",
    "When electric vehicles are at their chargers from now on, how full they are to be "
    "when they leave, when the plan charges them and what that costs.",
    NoArguments,
    tell_sessions,
)
