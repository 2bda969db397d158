"""Store recommendations shown to readers, their actions, and what bandit policies learned."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from luna.contracts.recommendations import BanditPolicy, Event, EventAction, ItemKind
from luna.energy.timeline import FloatArray
from luna.platform.database import sites
from luna.platform.database.schema.recommendations import bandit_states, events, recommendations

POLICIES: tuple[BanditPolicy, ...] = ("linucb", "thompson")
NUMBER = "<f8"
SHORT_NUMBER = "<f4"
Actions = list[tuple[EventAction, float | None]]


@dataclass(frozen=True, slots=True)
class Showing:
    """An item shown to a reader, as chosen by the policy.

    ``candidates`` are the features of all candidates, ``place`` is the index of the chosen one;
    only on the first item of a slate.
    """

    recommendation_id: str
    slate_id: str
    rank: int
    item_id: str
    kind: ItemKind
    propensity: float
    features: FloatArray
    candidates: FloatArray | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class EarlierShowing:
    """An item that a reader was shown; ``reward`` is None before the first action."""

    recommendation_id: str
    item_id: str
    reward: float | None


@dataclass(frozen=True, slots=True)
class Slate:
    """The items shown for one request: reader, site (None: none named), policy."""

    reader: str
    site_id: str | None
    policy: BanditPolicy
    showings: Sequence[Showing]


@dataclass(frozen=True, slots=True)
class Learned:
    """A policy's statistics over ``count`` observations of ``d`` features.

    ``precision`` is the sum of the features' outer products, shape ``(d, d)``; ``response`` the sum
    of features times reward, shape ``(d,)``.
    """

    precision: FloatArray
    response: FloatArray
    count: int


@dataclass(frozen=True, slots=True)
class Observed:
    """A showing with all reported actions.

    ``reward`` is the stored one, None before the first action.
    """

    recommendation_id: str
    policy: BanditPolicy
    features: FloatArray
    reward: float | None
    actions: Actions


@dataclass(frozen=True, slots=True)
class LoggedSlate:
    """The first choice of a slate, with its candidates and its reward."""

    policy: BanditPolicy
    propensity: float
    reward: float
    features: FloatArray
    candidates: FloatArray
    place: int


@dataclass(frozen=True, slots=True)
class Habits:
    """A reader's habits.

    Attributes:
        passed_over: how often each item without a reward was shown.
        shown: number of showings per kind of item.
        earned: sum of rewards per kind of item.
    """

    passed_over: Mapping[str, int]
    shown: Mapping[str, int]
    earned: Mapping[str, float]


def add_slate(connection: Connection, slate: Slate, *, now: datetime) -> None:
    """Store the recommendations shown to a reader."""
    shared = {"reader": slate.reader, "policy": slate.policy, "shown_at": now}
    shared["site_key"] = None if slate.site_id is None else sites.key_of(connection, slate.site_id)
    names = ("recommendation_id", "slate_id", "rank", "item_id", "kind", "propensity", "place")
    rows = []
    for showing in slate.showings:
        row = {name: getattr(showing, name) for name in names}
        rows.append(row | shared | _arrays(showing))
    if rows:
        connection.execute(insert(recommendations), rows)


def _arrays(showing: Showing) -> dict[str, bytes | None]:
    candidates = (
        None if showing.candidates is None else showing.candidates.astype(SHORT_NUMBER).tobytes()
    )
    return {"features": showing.features.astype(NUMBER).tobytes(), "candidates": candidates}


def read_learned(connection: Connection, policy: BanditPolicy, *, dimensions: int) -> Learned:
    """Return a policy's statistics for this number of features; empty where they have another."""
    row = (
        connection.execute(select(bandit_states).where(bandit_states.c.policy == policy))
        .mappings()
        .first()
    )
    return _learned(row, dimensions)


def hold_learned(
    connection: Connection, *, dimensions: int, now: datetime
) -> dict[BanditPolicy, Learned]:
    """Return each policy's statistics, locked until the end of the transaction."""
    empty = _as_row(Learned(np.zeros((dimensions, dimensions)), np.zeros(dimensions), 0))
    connection.execute(
        insert(bandit_states)
        .values([{"policy": policy, "changed_at": now} | empty for policy in POLICIES])
        .on_conflict_do_nothing()
    )
    rows = (
        connection.execute(select(bandit_states).order_by(bandit_states.c.policy).with_for_update())
        .mappings()
        .all()
    )
    return {row["policy"]: _learned(row, dimensions) for row in rows}


def save_learned(
    connection: Connection, policy: BanditPolicy, learned: Learned, *, now: datetime
) -> None:
    """Store a policy's statistics; the caller holds the lock."""
    connection.execute(
        update(bandit_states)
        .where(bandit_states.c.policy == policy)
        .values(**_as_row(learned), changed_at=now)
    )


def find_showings(
    connection: Connection, reader: str, recommendation_ids: Collection[str]
) -> set[str]:
    """Return which of these recommendations were shown to a reader."""
    is_shown = (recommendations.c.reader == reader) & recommendations.c.recommendation_id.in_(
        set(recommendation_ids)
    )
    return set(connection.scalars(select(recommendations.c.recommendation_id).where(is_shown)))


def find_first_showing(
    connection: Connection, reader: str, site_id: str, *, since: datetime
) -> EarlierShowing | None:
    """Return what a reader was shown first for a site since an instant."""
    table = recommendations.c
    query = select(table.recommendation_id, table.item_id, table.reward).where(
        table.reader == reader,
        table.site_key == sites.key_of(connection, site_id),
        table.shown_at >= since,
    )
    row = connection.execute(query.order_by(table.shown_at, table.rank).limit(1)).first()
    return None if row is None else EarlierShowing(*row)


def add_events(
    connection: Connection, reader: str, reported: Iterable[Event], *, now: datetime
) -> set[str]:
    """Store a reader's events, each once; return the ids of the new ones."""
    # Of an event that was reported twice the first report counts.
    by_id = {event.event_id: event for event in reversed(list(reported))}
    names = ("event_id", "recommendation_id", "action", "seconds", "happened_at")
    shared = {"reader": reader, "recorded_at": now}
    rows = []
    for event in by_id.values():
        row = {name: getattr(event, name) for name in names}
        rows.append(row | shared)
    if not rows:
        return set()
    statement = insert(events).values(rows).on_conflict_do_nothing().returning(events.c.event_id)
    return set(connection.scalars(statement))


def read_observed(connection: Connection, *, among: Collection[str]) -> list[Observed]:
    """Return those showings that have events, with all their actions."""
    actions = func.array_agg(aggregate_order_by(events.c.action, events.c.event_id))
    seconds = func.array_agg(aggregate_order_by(events.c.seconds, events.c.event_id))
    table = recommendations.c
    query = select(
        table.recommendation_id,
        table.policy,
        table.features,
        table.reward,
        actions.label("actions"),
        seconds.label("seconds"),
    )
    query = (
        query.join(events, events.c.recommendation_id == table.recommendation_id)
        .group_by(table.recommendation_id)
        .order_by(table.recommendation_id)
    )
    query = query.where(table.recommendation_id.in_(set(among)))
    observed = []
    for row in connection.execute(query):
        actions_taken = list(zip(row.actions, row.seconds, strict=True))
        features = _numbers(row.features)
        observed.append(
            Observed(row.recommendation_id, row.policy, features, row.reward, actions_taken)
        )
    return observed


def save_rewards(connection: Connection, rewards: Mapping[str, float]) -> None:
    """Store the rewards of showings."""
    for recommendation_id, reward in rewards.items():
        connection.execute(
            update(recommendations)
            .where(recommendations.c.recommendation_id == recommendation_id)
            .values(reward=reward)
        )


def read_habits(connection: Connection, reader: str, *, since: datetime) -> Habits:
    """Return a reader's habits from recommendations shown since an instant."""
    table = recommendations.c
    query = select(
        table.item_id,
        table.kind,
        func.count().label("shown"),
        func.sum(table.reward).label("earned"),
    )
    is_rewarded = (table.reader == reader) & (table.shown_at >= since) & table.reward.is_not(None)
    passed_over: dict[str, int] = {}
    shown: dict[str, int] = {}
    earned: dict[str, float] = {}
    for row in connection.execute(query.where(is_rewarded).group_by(table.item_id, table.kind)):
        if row.earned <= 0:
            passed_over[row.item_id] = row.shown
        shown[row.kind] = shown.get(row.kind, 0) + row.shown
        earned[row.kind] = earned.get(row.kind, 0.0) + row.earned
    return Habits(passed_over, shown, earned)


def list_recent_items(connection: Connection, reader: str, *, limit: int) -> list[str]:
    """Return the items that a reader last opened, read or found useful."""
    last = func.max(events.c.recorded_at)
    query = select(recommendations.c.item_id).join(
        events, events.c.recommendation_id == recommendations.c.recommendation_id
    )
    is_used = (recommendations.c.reader == reader) & events.c.action.in_(
        ("opened", "read", "useful")
    )
    return list(
        connection.scalars(
            query.where(is_used)
            .group_by(recommendations.c.item_id)
            .order_by(last.desc())
            .limit(limit)
        )
    )


def list_dismissed(connection: Connection, reader: str, *, since: datetime) -> set[str]:
    """Return the items that a reader dismissed since an instant, by Luna's clock."""
    query = select(recommendations.c.item_id).join(
        events, events.c.recommendation_id == recommendations.c.recommendation_id
    )
    return set(
        connection.scalars(
            query.where(
                recommendations.c.reader == reader,
                events.c.action == "dismissed",
                events.c.recorded_at >= since,
            )
        )
    )


def list_slates(connection: Connection, *, dimensions: int, limit: int) -> list[LoggedSlate]:
    """Return the first choices of the newest slates with a reward."""
    table = recommendations.c
    query = select(
        table.policy, table.propensity, table.reward, table.features, table.candidates, table.place
    )
    logged = (
        (table.rank == 0)
        & table.reward.is_not(None)
        & (func.octet_length(table.features) == 8 * dimensions)
    )
    rows = connection.execute(
        query.where(logged).order_by(table.shown_at.desc(), table.recommendation_id).limit(limit)
    )
    slates = []
    for row in rows:
        numbers = np.frombuffer(row.candidates, SHORT_NUMBER).astype(float)
        candidates = numbers.reshape(-1, dimensions)
        features = _numbers(row.features)
        slates.append(
            LoggedSlate(row.policy, row.propensity, row.reward, features, candidates, row.place)
        )
    return slates


def forget_unseen(connection: Connection, *, now: datetime, age: timedelta) -> int:
    """Delete showings older than ``age`` without a reward, from which nothing was learned.

    Return how many.
    """
    table = recommendations.c
    return connection.execute(
        delete(recommendations).where(table.shown_at < now - age, table.reward.is_(None))
    ).rowcount


def forget_reader(connection: Connection, reader: str) -> None:
    """Delete a reader's showings and actions, and what was learned from them."""
    _forget(connection, recommendations.c.reader == reader)


def forget_site(connection: Connection, site_key: int) -> None:
    """Delete a site's showings, and what was learned from them."""
    _forget(connection, recommendations.c.site_key == site_key)


def _forget(connection: Connection, where: ColumnElement[bool]) -> None:
    if connection.scalar(select(select(recommendations.c.recommendation_id).where(where).exists())):
        states = connection.execute(
            select(bandit_states.c.policy, bandit_states.c.dimensions).with_for_update()
        ).all()
        connection.execute(delete(recommendations).where(where))
        for policy, dimensions in states:
            table = recommendations.c
            same = (
                (table.policy == policy)
                & table.reward.is_not(None)
                & (func.octet_length(table.features) == 8 * dimensions)
            )
            rows = connection.execute(
                select(table.features, table.reward).where(same).order_by(table.recommendation_id)
            ).all()
            summed = _as_row(
                sum_learned(
                    [_numbers(row.features) for row in rows],
                    [row.reward for row in rows],
                    dimensions=dimensions,
                )
            )
            connection.execute(
                update(bandit_states)
                .where(bandit_states.c.policy == policy)
                .values(**summed, changed_at=func.now())
            )


def sum_learned(
    features: Sequence[FloatArray], rewards: Sequence[float], *, dimensions: int
) -> Learned:
    """Return the statistics of observations."""
    rows = np.array(features, dtype=float).reshape(-1, dimensions)
    return Learned(rows.T @ rows, rows.T @ np.array(rewards, dtype=float), len(rows))


def _learned(row: Mapping[Any, Any] | None, dimensions: int) -> Learned:
    if row is None or row["dimensions"] != dimensions:
        return Learned(np.zeros((dimensions, dimensions)), np.zeros(dimensions), 0)
    return Learned(
        _numbers(row["precision"]).reshape(dimensions, dimensions),
        _numbers(row["response"]),
        row["count"],
    )


def _as_row(learned: Learned) -> dict[str, object]:
    numbers = {
        name: getattr(learned, name).astype(NUMBER).tobytes() for name in ("precision", "response")
    }
    return numbers | {"dimensions": learned.response.size, "count": learned.count}


def _numbers(stored: bytes) -> FloatArray:
    return np.frombuffer(stored, NUMBER).astype(float)
