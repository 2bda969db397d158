"""The forecaster's tasks: decode, call, encode."""

from contextlib import suppress
from datetime import timedelta

from luna.contracts import (
    EvaluateReply,
    EvaluateRequest,
    IssueReply,
    IssueRequest,
    TrainReply,
    TrainRequest,
)
from luna.contracts.forecast import (
    EnsureForecastsReply,
    EnsureForecastsRequest,
    RefreshForecastsReply,
    RefreshForecastsRequest,
    RenewModelsReply,
    RenewModelsRequest,
)
from luna.contracts.forecast_explanation import (
    ExplainReply,
    ExplainRequest,
    IssueScenariosReply,
    IssueScenariosRequest,
)
from luna.contracts.forecast_versions import (
    ActivationReply,
    CardReply,
    CardRequest,
    JudgeForecastsReply,
    JudgeForecastsRequest,
    PromoteRequest,
    RollbackRequest,
)
from luna.contracts.job import Job
from luna.contracts.replay import ReplayRequest
from luna.energy.errors import MachineError, UnavailableError
from luna.energy.public_holidays import load_holidays
from luna.platform.queue import RetryableError, TaskContext, task
from luna.platform.queue.jobs import submit_job
from services.forecaster import forecast_issue
from services.forecaster.explanation import stored_explanations
from services.forecaster.inputs.solar import import_pvlib
from services.forecaster.model.trees import import_lightgbm
from services.forecaster.retraining import card, renewal, training
from services.forecaster.retraining import refresh as refreshing
from services.forecaster.retraining.refresh import ForecastBatches
from services.forecaster.scenarios import joint_scenarios
from services.forecaster.versions import comparison, hindsight, promotion, shadow

NEEDS = ("database", "redis", "objects")


def prepare_jobs() -> None:
    """Load LightGBM, pvlib and holidays before the processes of a worker for jobs are forked.

    Without LightGBM the task that needs it says why.
    """
    import_pvlib()
    load_holidays()
    with suppress(MachineError):
        import_lightgbm()


@task(TrainRequest, soft_limit=timedelta(minutes=30))
def train(request: TrainRequest, work: TaskContext) -> TrainReply:
    """Train and store; until that succeeds, the model before stays in use."""
    try:
        return training.train_and_tell(
            work.connection,
            request,
            objects=work.objects,
            now=work.clock.now(),
            progress=work.progress,
        )
    except UnavailableError as error:
        raise RetryableError(
            error.message, field=error.field, value=error.value, remedy=error.remedy
        ).because(error.reason, error.parameters) from error


@task(IssueRequest)
def issue(request: IssueRequest, work: TaskContext) -> IssueReply:
    """Issue and store."""
    return forecast_issue.issue_forecasts(
        work.connection, request, objects=work.objects, now=work.clock.now(), progress=work.progress
    ).reply()


@task(EnsureForecastsRequest, soft_limit=timedelta(hours=1))
def ensure(request: EnsureForecastsRequest, work: TaskContext) -> EnsureForecastsReply:
    """Issue what was not issued then."""
    return hindsight.ensure_forecasts(
        work.connection, request, objects=work.objects, progress=work.progress
    )


@task(IssueScenariosRequest)
def issue_scenarios(request: IssueScenariosRequest, work: TaskContext) -> IssueScenariosReply:
    """Make scenarios beside a stored forecast and store them."""
    return joint_scenarios.issue_requested(work.connection, request, objects=work.objects).reply()


@task(RefreshForecastsRequest, soft_limit=timedelta(minutes=30))
def refresh(request: RefreshForecastsRequest, work: TaskContext) -> RefreshForecastsReply:
    """Issue what is due; of many sites, have it issued by jobs side by side."""

    def submit(refresh_request: RefreshForecastsRequest, key: str) -> Job:
        return submit_job(work.database(), work.client, refresh_request, key=key)

    spread = ForecastBatches(work.settings.forecast_batch_sites, submit)
    return refreshing.refresh_forecasts(
        work.connection,
        request,
        objects=work.objects,
        now=work.clock.now(),
        spread=spread,
        progress=work.progress,
    )


@task(RenewModelsRequest)
def renew(request: RenewModelsRequest, work: TaskContext) -> RenewModelsReply:
    """Have models trained that are due."""

    def submit(train_request: TrainRequest) -> Job:
        return submit_job(work.database(), work.client, train_request)

    context = renewal.RenewalContext(work.database(), submit)
    return renewal.renew_models(context, request, now=work.clock.now())


@task(EvaluateRequest, soft_limit=timedelta(hours=1))
def evaluate(request: EvaluateRequest, work: TaskContext) -> EvaluateReply:
    """Score versions against what happened."""
    return comparison.evaluate_versions(
        work.connection, request, objects=work.objects, progress=work.progress
    )


@task(ExplainRequest)
def explain(request: ExplainRequest, work: TaskContext) -> ExplainReply:
    """Say why a forecast is what it is."""
    return stored_explanations.explain_forecast(work.connection, request, objects=work.objects)


@task(JudgeForecastsRequest, soft_limit=timedelta(hours=1))
def judge(request: JudgeForecastsRequest, work: TaskContext) -> JudgeForecastsReply:
    """Score versions in shadow, and let the rule decide."""

    def submit(replay_request: ReplayRequest) -> Job:
        return submit_job(work.database(), work.client, replay_request)

    context = shadow.ShadowContext(work.database(), work.objects, work.clock.now(), submit=submit)
    return shadow.judge_forecasts(context, request, progress=work.progress)


@task(PromoteRequest)
def promote(request: PromoteRequest, work: TaskContext) -> ActivationReply:
    """Let a version drive the planner."""
    return promotion.promote_by_hand(work.connection, request)


@task(RollbackRequest)
def roll_back(request: RollbackRequest, work: TaskContext) -> ActivationReply:
    """Go back to what drove the planner before."""
    return promotion.roll_back(work.connection, request)


@task(CardRequest)
def describe_model(request: CardRequest, work: TaskContext) -> CardReply:
    """Return the card of a training."""
    run = training.find_training(
        work.connection, request.site_id, request.run_id, now=work.clock.now()
    )
    text, facts = card.read_card(run, work.objects)
    return CardReply(facts=facts, text=text)
