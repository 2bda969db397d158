"""The ingest service's tasks: decode, call, encode.

Outside services are requested on beat's schedule, and again soon if none was reached, for nothing
reports that a network is back. A service that answers, even if it is too busy or refuses a token,
is requested again only on schedule.
"""

from datetime import timedelta

import httpx

from luna.contracts import (
    DemoLoadReply,
    DemoLoadRequest,
    FetchCarbonReply,
    FetchCarbonRequest,
    FetchPricesReply,
    FetchPricesRequest,
    FetchWeatherReply,
    FetchWeatherRequest,
    RefreshRollupsReply,
    RefreshRollupsRequest,
    ResendReply,
    ResendRequest,
    RetentionReply,
    RetentionRequest,
)
from luna.contracts.battery_trial import BatteryTrials, TryBatteriesRequest
from luna.contracts.data import (
    BackfillReply,
    BackfillRequest,
    BuildSlotsReply,
    BuildSlotsRequest,
    FetchLimitsReply,
    FetchLimitsRequest,
    FetchPvReply,
    FetchPvRequest,
    JudgeQualityReply,
    JudgeQualityRequest,
    LoadFileRequest,
    LoadReply,
    ResolveReply,
    ResolveRequest,
)
from luna.contracts.device_search import FindDevicesRequest, FoundDevices
from luna.contracts.extras import ChangeExtraReply, ChangeExtraRequest
from luna.contracts.file_guess import FileGuess, GuessFileRequest
from luna.contracts.forecast import RefreshForecastsRequest
from luna.contracts.history_care import (
    FindGapsRequest,
    GapsReply,
    RepairReply,
    RepairRequest,
    VerifyReply,
    VerifyRequest,
)
from luna.contracts.job import ArchiveLogsReply, ArchiveLogsRequest
from luna.contracts.message import Request
from luna.contracts.simulated_home import (
    RemovedHomeReply,
    RemoveSimulatedHomeRequest,
    SimulatedHomeReply,
    SimulatedHomeRequest,
)
from luna.energy.errors import ConflictError
from luna.energy.policy import UNREACHED_RETRY
from luna.platform.database import (
    answers,
    audit,
    idempotency,
    jobs,
    replays,
    retention,
    rollups,
    sessions,
    training_runs,
    what_ifs,
)
from luna.platform.extras import EXTRAS, install_extra, remove_extra
from luna.platform.queue import RetryableError, TaskContext, task
from luna.platform.queue.jobs import resend_due
from luna.platform.retry import RetryPolicy
from luna.simulated_home.creation import remove_home
from services.ingest import (
    backfill,
    carbon_collection,
    commissioning,
    object_retention,
    price_collection,
    pv_service,
    quality_service,
    quarantine_release,
    repair,
    simulated_home,
    slot_builder,
    upload_service,
    verification,
    weather_service,
)
from services.ingest.demo_data.storing import load_and_store
from services.ingest.limit_collection import LimitCollection

# Many machines that lost the same line do not come back together.
AGAIN = RetryPolicy(UNREACHED_RETRY, growth=1, jitter=1 / 3)


def ask_again(work: TaskContext, request: Request) -> None:
    """Submit beat's request again soon.

    A request with fields of its own is left to its caller to repeat.
    """
    if request == type(request)():
        work.client.submit_later(request, after=AGAIN.pause(1))


NEEDS = ("database", "redis", "objects")
# By then beat has asked for them.
FORECASTS_WITHIN = timedelta(minutes=15)


@task(DemoLoadRequest, soft_limit=timedelta(hours=1))
def load_demo(_request: DemoLoadRequest, work: TaskContext) -> DemoLoadReply:
    """Download the demo's year, which may take long, and store it."""
    return load_and_store(lambda: work.connection, work.settings.cache, progress=work.progress)


@task(SimulatedHomeRequest, soft_limit=timedelta(hours=1))
def make_simulated_home(_request: SimulatedHomeRequest, work: TaskContext) -> SimulatedHomeReply:
    """Store a simulated home with its past; its process starts afterwards."""
    return simulated_home.make_home(work)


@task(RemoveSimulatedHomeRequest)
def remove_simulated_home(
    _request: RemoveSimulatedHomeRequest, work: TaskContext
) -> RemovedHomeReply:
    """Remove the simulated home; retried while jobs of it are open."""
    try:
        return remove_home(work)
    except ConflictError as error:
        raise RetryableError(str(error)) from error


@task(RetentionRequest, soft_limit=timedelta(minutes=30))
def apply_retention(_request: RetentionRequest, work: TaskContext) -> RetentionReply:
    """Delete data older than its retention, files of failed loads and models without a training.

    The next run deletes the rest of a large amount.
    """
    named = training_runs.list_artefacts(work.connection)
    work.on_commit(lambda: object_retention.forget_old_uploads(work.objects, now=work.clock.now()))
    work.on_commit(
        lambda: object_retention.forget_unnamed_models(work.objects, named, now=work.clock.now())
    )
    deleted = retention.delete_old(
        work.connection, retention.retention_ages(work.settings), now=work.clock.now()
    )
    ended = jobs.forget_ended(
        work.connection,
        after=work.settings.job_retention,
        dead_after=work.settings.dead_job_retention,
    )
    now = work.clock.now()
    settings = work.settings
    deleted |= {
        "jobs": ended,
        "idempotent_answers": idempotency.forget_old(work.connection),
        "audit_log": audit.forget_old(work.connection, age=settings.audit_retention),
        "answers": answers.forget_old(work.connection, before=now - settings.answer_retention),
        "what_ifs": what_ifs.forget_old(work.connection, before=now - settings.answer_retention),
        "replay_days": replays.forget_abandoned(work.connection),
        "sessions": sessions.forget_ended(work.connection, now=now, idle=settings.session_idle),
    }
    return RetentionReply(deleted=deleted)


@task(ArchiveLogsRequest, soft_limit=timedelta(minutes=30))
def archive_days_of_logs(_request: ArchiveLogsRequest, work: TaskContext) -> ArchiveLogsReply:
    """Archive the log lines of past days, if Loki is set up."""
    settings = work.settings
    if settings.logs_url is None:
        return ArchiveLogsReply(archived={}, forgotten=0)
    with httpx.Client(
        base_url=settings.logs_url, timeout=object_retention.TIMEOUT_SECONDS
    ) as client:
        return object_retention.archive_logs(
            work.objects, client, keep=settings.log_retention, now=work.clock.now()
        )


@task(RefreshRollupsRequest)
def refresh_rollups(_request: RefreshRollupsRequest, work: TaskContext) -> RefreshRollupsReply:
    """Refresh stored rollups, batch by batch.

    The next run refreshes the rest.
    """
    return RefreshRollupsReply(days=rollups.refresh(work.database()).days)


@task(ResendRequest)
def resend_jobs(_request: ResendRequest, work: TaskContext) -> ResendReply:
    """Resend accepted jobs that never ran, or whose worker is gone."""
    return resend_due(work.connection, work.client)


@task(JudgeQualityRequest, soft_limit=timedelta(minutes=30))
def judge_quality(request: JudgeQualityRequest, work: TaskContext) -> JudgeQualityReply:
    """Judge days that have ended, and store the verdicts."""
    return quality_service.judge_each(work.database(), request, now=work.clock.now())


@task(ResolveRequest)
def resolve_quarantined(request: ResolveRequest, work: TaskContext) -> ResolveReply:
    """Carry out a person's decision about a refused row."""
    return quarantine_release.resolve_row(work.connection, request, now=work.clock.now())


@task(FetchPricesRequest, soft_limit=timedelta(minutes=30))
def fetch_prices(request: FetchPricesRequest, work: TaskContext) -> FetchPricesReply:
    """Fetch day-ahead prices that are missing; a year of them, day by day, takes a while."""
    reply = price_collection.tell(
        price_collection.fetch_prices(work.database(), request, work.settings, clock=work.clock)
    )
    if not reply.reached:
        ask_again(work, request)
    return reply


@task(FetchWeatherRequest, soft_limit=timedelta(minutes=30))
def fetch_weather(request: FetchWeatherRequest, work: TaskContext) -> FetchWeatherReply:
    """Fetch the weather of the sites, and refresh forecasts that may wait for it."""
    reply = weather_service.tell(
        weather_service.fetch_weather(work.database(), request, work.settings, clock=work.clock)
    )
    if not reply.reached:
        ask_again(work, request)
        return reply
    is_present = request.first is None and request.end is None
    if is_present and any(site.written for site in reply.sites):
        refresh = RefreshForecastsRequest(site_id=request.site_id)
        work.client.submit(refresh, expires=FORECASTS_WITHIN)
    return reply


@task(FetchCarbonRequest, soft_limit=timedelta(minutes=30))
def fetch_carbon(request: FetchCarbonRequest, work: TaskContext) -> FetchCarbonReply:
    """Fetch the carbon intensity of the grid where sites are."""
    reply = carbon_collection.tell(
        carbon_collection.fetch_carbon(work.database(), request, work.settings, clock=work.clock)
    )
    if not reply.reached:
        ask_again(work, request)
    return reply


@task(FetchLimitsRequest, soft_limit=timedelta(minutes=1))
def fetch_limits(request: FetchLimitsRequest, work: TaskContext) -> FetchLimitsReply:
    """Fetch the limits that grid operators announce."""
    collection = LimitCollection(work.database(), work.settings, work.clock)
    return collection.fetch(request)


@task(FetchPvRequest, soft_limit=timedelta(minutes=30))
def fetch_pv(request: FetchPvRequest, work: TaskContext) -> FetchPvReply:
    """Fetch PV forecasts that are due, and have scenarios made of those that plans use."""
    reply = pv_service.tell(
        pv_service.fetch_pv_forecasts(work.database(), request, work.settings, clock=work.clock)
    )
    if not reply.reached:
        ask_again(work, request)
    for scenarios in pv_service.list_scenario_requests(reply):
        work.client.submit(scenarios, expires=FORECASTS_WITHIN)
    return reply


@task(BuildSlotsRequest, soft_limit=timedelta(hours=1))
def build_slots(request: BuildSlotsRequest, work: TaskContext) -> BuildSlotsReply:
    """Build quarter-hours from stored readings.

    A year of sensors that report every ten seconds takes minutes.
    """
    return slot_builder.build_site_slots(
        work.connection, request, now=work.clock.now(), progress=work.progress
    )


@task(LoadFileRequest, soft_limit=timedelta(hours=2))
def load_upload(request: LoadFileRequest, work: TaskContext) -> LoadReply:
    """Store the rows of an uploaded file."""
    return upload_service.load_upload(request, work)


@task(GuessFileRequest)
def guess_upload(request: GuessFileRequest, work: TaskContext) -> FileGuess:
    """Guess the reading of an uploaded file, and preview the rows to store."""
    return upload_service.guess_upload(request, work)


@task(FindDevicesRequest)
def find_devices(request: FindDevicesRequest, work: TaskContext) -> FoundDevices:
    """Search a network's addresses for devices with a profile."""
    return commissioning.search_network(request, work.settings.data_folder, progress=work.progress)


@task(TryBatteriesRequest)
def try_batteries(request: TryBatteriesRequest, work: TaskContext) -> BatteryTrials:
    """Move batteries a little before control is armed, and report their response."""
    return commissioning.try_batteries(request, work)


@task(ChangeExtraRequest, soft_limit=timedelta(hours=2))
def change_extra(request: ChangeExtraRequest, work: TaskContext) -> ChangeExtraReply:
    """Install an extra that somebody has agreed to, or remove it."""
    extra = EXTRAS[request.name]
    if request.wanted == "installed":
        install_extra(extra, progress=work.progress)
    else:
        remove_extra(extra)
    return ChangeExtraReply(name=request.name, installed=not extra.find_missing())


@task(BackfillRequest, soft_limit=timedelta(hours=2))
def backfill_history(request: BackfillRequest, work: TaskContext) -> BackfillReply:
    """Store the history of a site's sensors.

    At the time limit the stored part stays, and a repeated request resumes there.
    """
    return backfill.backfill(request, work)


@task(FindGapsRequest)
def find_gaps(request: FindGapsRequest, work: TaskContext) -> GapsReply:
    """Find the quarter-hours with an unknown value in one of the site's series."""
    gaps = repair.find_gaps(work.connection, request.site_id, request.first, request.end)
    return repair.tell_gaps(request, gaps)


@task(RepairRequest, soft_limit=timedelta(minutes=30))
def repair_history(request: RepairRequest, work: TaskContext) -> RepairReply:
    """Fill gaps of the past."""
    days = request.from_day, request.to_day
    repairs = repair.repair_days(
        work.connection, request.site_id, days, now=work.clock.now(), dry_run=request.dry_run
    )
    return repair.tell_repairs(request.site_id, repairs, dry_run=request.dry_run)


@task(VerifyRequest, soft_limit=timedelta(minutes=30))
def verify_history(request: VerifyRequest, work: TaskContext) -> VerifyReply:
    """Compare the stored slots with Home Assistant's statistics."""
    return verification.verify(request, work)
