"""Stores the training runs of models: their data, parameters, metrics and artefacts."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from luna.energy.refusals import refuse
from luna.platform.database import sites
from luna.platform.database.schema.plans import training_runs
from luna.platform.database.schema.sites import sites as site_table

# Days of known data that a model needs to learn anything.
LEARNED_DAYS = 14


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training.

    Attributes:
        version: the forecast version or the kind of agent.
        artefact_key: names the stored model.
        trigger: its cause: hand, schedule, drift or force.
        accepted: False: it is used only if it is named explicitly.
        verdict: why it is accepted or not.
        tried_until: the end of the days that decided; None: none after ``data_until``.
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
    accepted: bool = True
    verdict: str = ""
    tried_until: datetime | None = None

    @property
    def knowledge_cutoff(self) -> datetime:
        """The end of its training and selection data."""
        return self.tried_until or self.data_until

    @property
    def has_enough_data(self) -> bool:
        """Whether there was enough data.

        A model trained in the first days has learned nothing.
        """
        return self.metrics.get("known_days", LEARNED_DAYS) >= LEARNED_DAYS


def save(connection: Connection, site_id: str, run: TrainingRun) -> None:
    """Store a training; an existing one is changed only from not accepted to accepted."""
    row = asdict(run)
    row["site_key"] = sites.key_of(connection, site_id)
    row["metrics"] = dict(run.metrics)
    statement = insert(training_runs).values(row)
    changes = ("accepted", "verdict", "trigger", "metrics", "tried_until")
    changed = {name: statement.excluded[name] for name in changes}
    anew = statement.excluded.accepted & ~training_runs.c.accepted
    connection.execute(
        statement.on_conflict_do_update(
            constraint=training_runs.primary_key, set_=changed, where=anew
        )
    )


def latest(
    connection: Connection,
    site_id: str,
    *,
    version: str,
    before: datetime | None = None,
    unseen: datetime | None = None,
) -> TrainingRun | None:
    """Return the accepted training with the most recent data; None where there is none.

    Args:
        connection: open.
        site_id: of a stored site.
        version: the forecast version or kind of agent.
        before: its training data end by then.
        unseen: its training and selection data end by then, so that later days are unseen.
    """
    query = _select(connection, site_id).where(
        training_runs.c.version == version, training_runs.c.accepted
    )
    if before is not None:
        query = query.where(training_runs.c.data_until <= before)
    if unseen is not None:
        query = query.where(
            func.coalesce(training_runs.c.tried_until, training_runs.c.data_until) <= unseen
        )
    row = (
        connection.execute(
            query.order_by(
                training_runs.c.data_until.desc(), training_runs.c.finished_at.desc()
            ).limit(1)
        )
        .mappings()
        .first()
    )
    return None if row is None else _run(row)


def latest_each(
    connection: Connection, keys: Collection[int], *, version: str, before: datetime
) -> dict[int, TrainingRun]:
    """Return ``latest`` of many sites by their keys, without sites that have none."""
    table = training_runs.c
    columns = [table.site_key, *(table[name] for name in TrainingRun.__dataclass_fields__)]
    query = (
        select(*columns)
        .ext(distinct_on(table.site_key))
        .where(
            table.site_key.in_(keys),
            table.version == version,
            table.accepted,
            table.data_until <= before,
        )
    )
    query = query.order_by(table.site_key, table.data_until.desc(), table.finished_at.desc())
    rows = connection.execute(query).mappings()
    return {row["site_key"]: _run(row) for row in rows}


def list_trained(connection: Connection, keys: Collection[int], *, version: str) -> set[int]:
    """Return the keys of the sites with an accepted training of a version."""
    table = training_runs.c
    return set(
        connection.scalars(
            select(table.site_key)
            .where(table.site_key.in_(keys), table.version == version, table.accepted)
            .distinct()
        )
    )


def load(connection: Connection, site_id: str, run_id: str) -> TrainingRun:
    """Return a training of a site.

    Raises:
        NotFoundError: the site has none of that id.
    """
    row = (
        connection.execute(_select(connection, site_id).where(training_runs.c.run_id == run_id))
        .mappings()
        .first()
    )
    if row is None:
        raise refuse(
            "not-found",
            field="run_id",
            value=run_id,
            thing="training",
            source=f"the list: luna forecast status --site {site_id}",
        )
    return _run(row)


def list_latest(
    connection: Connection, site_id: str, *, version: str, limit: int
) -> list[TrainingRun]:
    """Return the trainings of a version, the one with the most recent data first."""
    table = training_runs.c
    query = (
        _select(connection, site_id)
        .where(table.version == version)
        .order_by(table.data_until.desc(), table.finished_at.desc())
    )
    return [_run(row) for row in connection.execute(query.limit(limit)).mappings()]


def list_newest(connection: Connection, *, limit: int) -> list[tuple[str, TrainingRun]]:
    """Return the trainings of forecasts and agents at all sites, with the sites' names.

    The one with the most recent data comes first.
    """
    columns = [training_runs.c[name] for name in TrainingRun.__dataclass_fields__]
    table = training_runs.c
    named = site_table.c.name.label("site_name")
    query = select(named, *columns).join(site_table, site_table.c.site_key == table.site_key)
    query = query.order_by(table.data_until.desc(), table.finished_at.desc()).limit(limit)
    rows = connection.execute(query).mappings()
    return [(row["site_name"], _run(row)) for row in rows]


def last_finished(connection: Connection, site_id: str, *, version: str) -> datetime | None:
    """Return when the last training of a version ended, accepted or not, if there is one."""
    table = training_runs.c
    query = select(func.max(table.finished_at)).where(
        table.site_key == sites.key_of(connection, site_id), table.version == version
    )
    finished: datetime | None = connection.scalar(query)
    return None if finished is None else finished.astimezone(UTC)


def list_artefacts(connection: Connection) -> set[str]:
    """Return the keys of all model artefacts that a training refers to."""
    key = training_runs.c.artefact_key
    return set(connection.scalars(select(key).where(key.is_not(None)).distinct()))


def _select(connection: Connection, site_id: str) -> Select[Any]:
    columns = [training_runs.c[name] for name in TrainingRun.__dataclass_fields__]
    return select(*columns).where(training_runs.c.site_key == sites.key_of(connection, site_id))


def _run(row: Mapping[Any, Any]) -> TrainingRun:
    values = {name: row[name] for name in TrainingRun.__dataclass_fields__}
    for name in ("data_from", "data_until", "tried_until"):
        if values[name] is not None:
            values[name] = values[name].astimezone(UTC)
    return TrainingRun(**values)
