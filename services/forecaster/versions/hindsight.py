"""Issue missing forecasts of past days, from data known at each instant of issue."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.forecast import (
    EnsureForecastsReply,
    EnsureForecastsRequest,
    IssueRequest,
    TrainRequest,
)
from luna.energy.site import Site
from luna.house.missing_forecasts import list_missing_issues
from luna.platform.database import sites, training_runs
from luna.platform.objects import ObjectStore
from services.forecaster.forecast_issue import issue_forecasts
from services.forecaster.model.aurora import VERSION, Progress, keep_quiet
from services.forecaster.retraining.training import train_site


def ensure_trained(
    connection: Connection, site: Site, *, before: datetime, objects: ObjectStore
) -> float:
    """Train Aurora on data up to ``before`` unless it was, and return the training's seconds."""
    run = training_runs.latest(connection, site.name, version=VERSION, before=before)
    if run:
        return run.train_seconds
    request = TrainRequest(site_id=site.name, until=before)
    return train_site(connection, request, objects=objects).train_seconds


def ensure_forecasts(
    connection: Connection,
    request: EnsureForecastsRequest,
    *,
    objects: ObjectStore,
    progress: Progress = keep_quiet,
) -> EnsureForecastsReply:
    """Train if needed, and issue missing forecasts; existing ones stay.

    Raises:
        NotFoundError: no such site or version.
        InvalidInputError: too little was measured before to train on.
    """
    missing = list_missing_issues(connection, request)
    if not missing:
        return EnsureForecastsReply(issued=0)
    if request.forecast_version == VERSION:
        progress(0, 1, "train")
        ensure_trained(
            connection,
            sites.load(connection, request.site_id),
            before=request.first,
            objects=objects,
        )
    # Each stretch of instants one step apart is issued at once.
    first = missing[0]
    every = timedelta(minutes=request.every_minutes)
    for at, following in zip(missing, [*missing[1:], None], strict=True):
        if following is None or following - at != every:
            issue_request = IssueRequest(
                site_id=request.site_id,
                at=first,
                to=at,
                every_minutes=request.every_minutes,
                forecast_version=request.forecast_version,
            )
            issue_forecasts(connection, issue_request, objects=objects, progress=progress)
            first = following or at
    return EnsureForecastsReply(issued=len(missing))
