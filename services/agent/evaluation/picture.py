"""A recorded day of a stored site as policies lived it, drawn: the day stands in a replay of its week, so its figures are those of the replay."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.agent import DayPictureReply, DayPictureRequest
from luna.contracts.replay import ReplayRequest
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, local_midnight
from luna.platform.database import sites
from luna.platform.database.forecast_activations import find_active
from luna.platform.objects import ObjectStore
from luna.words import Numbers
from services.agent.evaluation.days import WEEK, UsableDays
from services.agent.evaluation.plots import draw_day
from services.agent.evaluation.record import read_record
from services.agent.evaluation.replay import issue_forecasts, load_learned
from services.agent.evaluation.traces import trace_day
from services.planner.replay import DayLog, DayResult, ReplaySpec, Rules, run
from services.planner.service.inputs import read_scene
from services.planner.service.replay import Store


def draw_stored_day(store: Store, request: DayPictureRequest, *, objects: ObjectStore) -> DayPictureReply:
    """Return the picture of a day and what it shows, slot by slot; forecasts that were not issued then are issued first.

    The week around the day is replayed, Monday to Sunday as evaluations do, as far as it was recorded whole; learned policies know nothing of that week.

    Raises:
        NotFoundError: no such site, nothing was recorded then, or a policy was never trained on what was recorded before.
        InvalidInputError: the day cannot be lived again, or a policy is unknown.
    """
    with store.part() as connection:
        site = sites.load(connection, request.site_id)
        monday = request.day - timedelta(days=request.day.weekday())
        first, last = find_stretch(read_record(connection, site, first=monday, last=monday + timedelta(days=WEEK - 1)), request.day)
        replay_request = ReplayRequest(site_id=site.name, from_day=first, to_day=last, policies=request.policies, episodes=None)
        learned = load_learned(connection, site, request.policies, before=local_midnight(first, ZoneInfo(site.timezone)), objects=objects)
    issue_forecasts(store, site, replay_request, objects=objects)
    with store.part() as connection:
        scene = read_scene(connection, replay_request, find_active(connection, site).forecast_version)
    results: dict[date, DayResult] = {}
    makers = {name: policy.make for name, policy in learned.items()}
    spec = ReplaySpec(replay_request.policies, timedelta(minutes=replay_request.every_minutes) // SLOT, learned=makers, explain_loss=False)
    reply = run(scene, spec, book=DayLog(keep=lambda result: results.update({result.day: result}))).reply
    costs = {name: next(each for each in policy.days if each.day == request.day) for name, policy in reply.policies.items()}
    traces = trace_day(scene, Rules.of(scene), results[request.day], costs)
    named = {name: trace.model_copy(update={"run_id": learned[name].run_id}) if name in learned else trace for name, trace in traces.items()}
    return DayPictureReply(
        svg=draw_day(named, title=f"{site.name}, {request.day}", numbers=Numbers("en", scene.zone, site.currency)),
        policies=replay_request.policies,
        day=request.day,
        from_day=replay_request.from_day,
        to_day=replay_request.to_day,
        currency=site.currency,
        traces=named,
    )


def find_stretch(record: UsableDays, day: date) -> tuple[date, date]:
    """Return the first and last of the days in a row around ``day`` that can be lived again.

    Raises:
        InvalidInputError: the day itself cannot.
    """
    if not record.first <= day <= record.last or day in record.unusable:
        reason = record.unusable.get(day, "it was not recorded whole")
        raise refuse("day-not-replayed", field="day", value=day.isoformat(), reason=reason)
    first = last = day
    while first > record.first and first - timedelta(days=1) not in record.unusable:
        first -= timedelta(days=1)
    while last < record.last and last + timedelta(days=1) not in record.unusable:
        last += timedelta(days=1)
    return first, last
