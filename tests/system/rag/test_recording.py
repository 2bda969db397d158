"""What readers did is learned once, by whomever, whenever, and is the sum of the log."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, select

from luna.contracts.recommendations import RecordEventsRequest
from luna.platform.database import engine, recommendations
from luna.platform.database.engine import unit_of_work
from luna.platform.database.recommendations import Learned
from luna.platform.database.schema.recommendations import recommendations as recommendations_table
from services.rag.recommending.choosing import record_events, reward_of
from services.rag.recommending.features import DIMENSIONS
from tests.support.documents.recommended_items import NOON, choose, clean, store_items, tell_of

ITEMS = 40


@pytest.fixture
def filled(database: Engine) -> Iterator[Engine]:
    with clean(database):
        with unit_of_work(database) as connection:
            store_items(connection, ITEMS)
        yield database


def learned(connection: Connection) -> Learned:
    return recommendations.read_learned(connection, "linucb", dimensions=DIMENSIONS)


def sum_log(connection: Connection) -> Learned:
    showings = connection.scalars(
        select(recommendations_table.c.recommendation_id).where(
            recommendations_table.c.policy == "linucb"
        )
    ).all()
    observed = recommendations.read_observed(connection, among=showings)
    features = np.array([each.features for each in observed]).reshape(-1, DIMENSIONS)
    return Learned(
        features.T @ features,
        features.T @ np.array([reward_of(each.actions) for each in observed]),
        len(observed),
    )


def assert_same(one: Learned, other: Learned) -> None:
    assert one.count == other.count
    np.testing.assert_allclose(one.precision, other.precision, atol=1e-9)
    np.testing.assert_allclose(one.response, other.response, atol=1e-9)


def test_what_was_shown_and_opened_is_learned(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        shown = choose(connection, k=3)
        reply = record_events(connection, tell_of(shown), now=NOON)
        assert (reply.accepted, reply.duplicated, reply.unknown) == (3, 0, [])
        after = learned(connection)
        # Each row of features is a constant, a kind, … over the root of their number: the first
        # corner counts observations.
        assert after.count == 3
        assert after.precision[0, 0] == pytest.approx(3 / DIMENSIONS)
        assert after.response[0] == pytest.approx(3 * 0.4 / np.sqrt(DIMENSIONS))


def test_the_same_event_counts_once(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        told = tell_of(choose(connection, k=4))
        record_events(connection, told, now=NOON)
        before = learned(connection)
        again = record_events(
            connection,
            told.model_copy(update={"events": told.events * 3}),
            now=NOON + timedelta(hours=1),
        )
        assert (again.accepted, again.duplicated) == (0, 12)
        assert_same(before, learned(connection))


def test_an_event_twice_in_one_batch_counts_once(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        told = tell_of(choose(connection, k=1))
        reply = record_events(
            connection, told.model_copy(update={"events": told.events * 2}), now=NOON
        )
        assert (reply.accepted, reply.duplicated, learned(connection).count) == (1, 1, 1)


def test_what_another_reader_was_shown_is_unknown_and_teaches_nothing(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        told = tell_of(choose(connection, "anna", k=2), reader="bert")
        reply = record_events(connection, told, now=NOON)
        assert (reply.accepted, reply.unknown) == (0, [each.event_id for each in told.events])
        assert learned(connection).count == 0


def test_later_events_revise_the_reward_of_a_showing(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        shown = choose(connection, k=1)
        for action, reward in (("shown", 0.0), ("opened", 0.4), ("useful", 1.0)):
            record_events(connection, tell_of(shown, action), now=NOON)
            after = learned(connection)
            assert (after.count, after.response[0]) == (
                1,
                pytest.approx(reward / np.sqrt(DIMENSIONS)),
            )


def test_a_clock_that_goes_back_changes_nothing(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        shown = choose(connection, k=2)
        record_events(connection, tell_of(shown, "useful"), now=NOON)
        record_events(
            connection,
            tell_of(shown, "opened", happened_at=NOON - timedelta(days=4_000)),
            now=NOON - timedelta(days=1),
        )
        assert learned(connection).response[0] == pytest.approx(2 / np.sqrt(DIMENSIONS))


def test_what_is_learned_is_the_sum_of_the_log(filled: Engine) -> None:
    rng = np.random.default_rng(3)
    with unit_of_work(filled) as connection:
        for number in range(60):
            shown = choose(connection, f"reader{number % 7}", k=5, seed=number)
            for action in rng.choice(["shown", "opened", "useful", "dismissed", "read"], 3):
                some = [each for each in shown if rng.random() < 0.6] or shown
                told = tell_of(
                    some,
                    str(action),
                    reader=f"reader{number % 7}",
                    mark=f"{rng.integers(1_000)}",
                    seconds=float(rng.uniform(0, 300)),
                )
                record_events(connection, told, now=NOON)
        assert_same(learned(connection), sum_log(connection))


def report(database: Engine, request: RecordEventsRequest) -> int:
    with unit_of_work(database) as connection:
        return record_events(connection, request, now=NOON).accepted


def test_workers_that_report_at_the_same_time_lose_no_observation(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        batches = [
            tell_of(choose(connection, f"r{number}", k=5, seed=number), action, reader=f"r{number}")
            for number in range(20)
            for action in ("opened",)
        ]
    with ThreadPoolExecutor(8) as pool:
        # Each twice: two workers are given the same message.
        accepted = sum(pool.map(partial(report, filled), [*batches, *batches]))
    with unit_of_work(filled) as connection:
        assert accepted == sum(len(each.events) for each in batches)
        assert_same(learned(connection), sum_log(connection))
        assert learned(connection).count == accepted


def report_until_killed(url: str, requests: list[RecordEventsRequest], begun: object) -> None:
    pool = engine.create(url)
    for request in requests:
        report(pool, request)
        begun.release()  # type: ignore[attr-defined]


def test_a_worker_that_is_killed_loses_nothing_that_it_confirmed_and_halves_nothing(
    filled: Engine, database_url: str
) -> None:
    with unit_of_work(filled) as connection:
        batches = [
            tell_of(choose(connection, f"k{number}", k=5, seed=number), reader=f"k{number}")
            for number in range(60)
        ]
    context = multiprocessing.get_context("spawn")
    begun = context.Semaphore(0)
    worker = context.Process(target=report_until_killed, args=(database_url, batches, begun))
    worker.start()
    for _ in range(5):
        begun.acquire()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    with unit_of_work(filled) as connection:
        after = learned(connection)
        assert after.count % 5 == 0
        assert after.count >= 25
        assert_same(after, sum_log(connection))
    # The messages come again: what was counted counts no second time.
    for batch in batches:
        report(filled, batch)
    with unit_of_work(filled) as connection:
        assert learned(connection).count == sum(len(batch.events) for batch in batches)
        assert_same(learned(connection), sum_log(connection))


def test_who_leaves_takes_along_what_was_learned_from_them(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        record_events(
            connection, tell_of(choose(connection, "sessions", k=3), reader="sessions"), now=NOON
        )
        before = learned(connection)
        record_events(
            connection, tell_of(choose(connection, "leaves", k=4), reader="leaves"), now=NOON
        )
        recommendations.forget_reader(connection, "leaves")
        assert_same(before, learned(connection))
        assert_same(before, sum_log(connection))


def test_what_was_learned_over_other_features_is_begun_anew(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        record_events(connection, tell_of(choose(connection, k=3)), now=NOON)
        assert (
            recommendations.read_learned(connection, "linucb", dimensions=DIMENSIONS + 1).count == 0
        )


def test_showings_that_nobody_saw_are_forgotten_and_the_others_kept(filled: Engine) -> None:
    with unit_of_work(filled) as connection:
        seen = choose(connection, k=2)
        unseen = choose(connection, k=3)
        record_events(connection, tell_of(seen, "shown"), now=NOON)
        assert recommendations.forget_unseen(
            connection, now=NOON + timedelta(days=31), age=timedelta(days=30)
        ) == len(unseen)
        assert_same(learned(connection), sum_log(connection))
