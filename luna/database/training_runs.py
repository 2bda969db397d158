"""Trainings of models: from what they learned, how, and where the result lies."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from luna.database import sites
from luna.database.schema.plans import training_runs


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training; ``version`` is the forecast version or the kind of agent, ``artefact_key`` names the stored model.

    ``trigger`` says why it was trained: hand, schedule, drift or force.
    """

    run_id: str
    version: str
    data_from: datetime
    data_until: datetime
    code_version: str
    seed: int
    train_seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    artefact_key: str | None = None
    parent_run_id: str | None = None
    trigger: str = "hand"


def save(connection: Connection, site_id: str, run: TrainingRun) -> None:
    """Store a training; storing it again changes nothing."""
    row = asdict(run) | {"site_key": sites.key_of(connection, site_id), "metrics": dict(run.metrics)}
    connection.execute(insert(training_runs).values(row).on_conflict_do_nothing())


def latest(connection: Connection, site_id: str, *, version: str, before: datetime | None = None) -> TrainingRun | None:
    """Return the training that learned from the most recent data, none of it from after ``before``; None where there is none."""
    table = training_runs.c
    query = select(*[table[name] for name in TrainingRun.__dataclass_fields__]).where(
        table.site_key == sites.key_of(connection, site_id), table.version == version
    )
    if before is not None:
        query = query.where(table.data_until <= before)
    row = connection.execute(query.order_by(table.data_until.desc(), table.finished_at.desc()).limit(1)).mappings().first()
    if row is None:
        return None
    return TrainingRun(**(dict(row) | {name: row[name].astimezone(UTC) for name in ("data_from", "data_until")}))
