"""Store the decisions on the forecast version, and the training, that a site is planned from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, Select, select
from sqlalchemy.dialects.postgresql import distinct_on

from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.platform.database import sites, training_runs
from luna.platform.database.schema.forecasting import forecast_activations
from luna.platform.database.schema.sites import sites as site_table
from luna.platform.database.training_runs import TrainingRun

# The version until another has proven better, and the fallback if the active one issues nothing.
DEFAULT_VERSION = "baseline_like_days"
# Their PV comes from an outside service, so that nobody can issue them in hindsight.
BLENDED_VERSION = "blended_pv"
OUTSIDE_VERSIONS = ("solcast", "forecast_solar", BLENDED_VERSION)

# training: a new model of the active version replaced the previous one.
DecidedBy = Literal["rule", "hand", "rollback", "training"]


@dataclass(frozen=True, slots=True)
class Activation:
    """A decision: the planner uses ``forecast_version`` from ``decided_at`` on.

    The database sets that instant.

    ``run_id`` is the training of the version's model; None: the latest one, or a baseline, which
    has none.
    """

    forecast_version: str
    reason: str
    decided_by: DecidedBy
    run_id: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ActiveVersion:
    """The version that the planner uses.

    Pinned by the owner, else the last decision, else the default. ``run_id`` as in ``Activation``.
    """

    forecast_version: str
    pinned: bool = False
    run_id: str | None = None
    last: Activation | None = None

    @property
    def reason(self) -> str:
        if self.pinned:
            return "pinned by the owner: forecasting.active_forecast_version of the site"
        if self.last is None:
            return "the default, until another version has proven better"
        return self.last.reason

    @property
    def since(self) -> datetime | None:
        """Return the instant of the decision.

        None for a pin and for the default, where it is unknown.
        """
        return None if self.pinned or self.last is None else self.last.decided_at


def activate(connection: Connection, site_id: str, activation: Activation) -> bool:
    """Store a decision; return False, and store nothing, where version and run are unchanged.

    A new training may be activated only for the version of ``current``: an unpromoted version must
    not drive the planner.

    Raises:
        NotFoundError: no such site.
    """
    key = sites.key_of(connection, site_id)
    # The row lock serialises concurrent decisions of a site.
    connection.execute(
        select(site_table.c.site_key).where(site_table.c.site_key == key).with_for_update()
    )
    last = current(connection, site_id)
    if last is not None and (last.forecast_version, last.run_id) == (
        activation.forecast_version,
        activation.run_id,
    ):
        return False
    names = ("forecast_version", "run_id", "decided_by", "reason")
    row = {name: getattr(activation, name) for name in names} | {
        "site_key": key,
        "evidence": dict(activation.evidence),
    }
    connection.execute(forecast_activations.insert().values(row))
    return True


def current(connection: Connection, site_id: str) -> Activation | None:
    """Return the last decision; None where there is none."""
    row = connection.execute(_select(connection, site_id).limit(1)).mappings().first()
    return None if row is None else _activation(row)


def history(connection: Connection, site_id: str) -> list[Activation]:
    """Return all decisions, the last one first."""
    return [_activation(row) for row in connection.execute(_select(connection, site_id)).mappings()]


def find_active(connection: Connection, site: Site) -> ActiveVersion:
    """Return the version that the planner of a site uses."""
    return _active(site, current(connection, site.name))


def find_active_each(
    connection: Connection, sites_by_key: Mapping[int, Site]
) -> dict[int, ActiveVersion]:
    """Return the version that the planner of each site uses, by the sites' keys."""
    table = forecast_activations.c
    columns = [table.site_key, *(table[name] for name in Activation.__dataclass_fields__)]
    newest = (
        select(*columns)
        .ext(distinct_on(table.site_key))
        .where(table.site_key.in_(sites_by_key))
        .order_by(table.site_key, table.activation_id.desc())
    )
    last = {row["site_key"]: _activation(row) for row in connection.execute(newest).mappings()}
    return {key: _active(site, last.get(key)) for key, site in sites_by_key.items()}


def _active(site: Site, last: Activation | None) -> ActiveVersion:
    pinned = site.forecasting.active_forecast_version
    version = pinned or (last.forecast_version if last else DEFAULT_VERSION)
    run_id = last.run_id if last and last.forecast_version == version else None
    return ActiveVersion(version, pinned is not None, run_id, last)


def find_run(
    connection: Connection, site_id: str, *, version: str, before: datetime
) -> TrainingRun | None:
    """Return a version's training at ``before``: the activated one, else the latest.

    Trainings on data from after ``before`` are left out.
    """
    last = current(connection, site_id)
    if last is not None and last.run_id is not None and last.forecast_version == version:
        run = training_runs.load(connection, site_id, last.run_id)
        if run.data_until <= before:
            return run
    return training_runs.latest(connection, site_id, version=version, before=before)


def find_runs_each(
    connection: Connection,
    active_by_key: Mapping[int, tuple[str, ActiveVersion]],
    *,
    version: str,
    before: datetime,
) -> dict[int, TrainingRun]:
    """Return ``find_run`` of many sites by their keys, each with its name and active version.

    Sites without a training are left out.
    """
    runs = training_runs.latest_each(
        connection, list(active_by_key), version=version, before=before
    )
    for key, (name, active) in active_by_key.items():
        last = active.last
        if last is None or last.run_id is None or last.forecast_version != version:
            continue
        run = runs.get(key)
        if run is not None and run.run_id == last.run_id:
            continue
        activated = training_runs.load(connection, name, last.run_id)
        if activated.data_until <= before:
            runs[key] = activated
    return runs


def find_previous(decisions: Sequence[Activation]) -> Activation | None:
    """Return the decision that a rollback restores, None for the default.

    Consecutive rollbacks undo one decision each.

    Args:
        decisions: as ``history`` returns them, the last one first.

    Raises:
        ConflictError: all decisions are undone already.
    """
    standing: list[Activation] = []
    for decision in reversed(decisions):
        if decision.decided_by != "rollback":
            standing.append(decision)
        elif standing:
            standing.pop()
    if not standing:
        raise refuse(
            "nothing-to-go-back-to",
            field="forecast_version",
            value=DEFAULT_VERSION,
            version=DEFAULT_VERSION,
        )
    return standing[-2] if len(standing) > 1 else None


def _select(connection: Connection, site_id: str) -> Select[Any]:
    table = forecast_activations.c
    columns = [table[name] for name in Activation.__dataclass_fields__]
    return (
        select(*columns)
        .where(table.site_key == sites.key_of(connection, site_id))
        .order_by(table.activation_id.desc())
    )


def _activation(row: RowMapping) -> Activation:
    return Activation(
        **(
            {name: row[name] for name in Activation.__dataclass_fields__}
            | {"decided_at": row["decided_at"].astimezone(UTC)}
        )
    )
