"""Somebody guesses passwords and links with everything at hand: limits hold, who is at home still
gets in, and nobody learns which names there are.
"""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import redis

from luna.platform.clock import SystemClock
from luna.platform.embedded.supervisor import Servers
from luna.platform.own_secrets import make_link
from luna.platform.settings import Settings
from services.api.identity.identity import LOGIN_SHARE
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.gateway.people import NAMES, PASSWORD, Gate, empty_gate, gate_with_people
from tests.support.suite.tables import each_row

MOST = 1
HOME = "192.168.178.20"
HOME_GUEST = "192.168.178.66"


@pytest.fixture
def counts(servers: Servers) -> str:
    """Return a database of Redis in which nothing is counted yet."""
    address = f"{servers.redis_url.rsplit('/', 1)[0]}/13"
    with redis.Redis.from_url(address) as client:
        client.flushdb()
    return address


@pytest.fixture
def behind(servers: Servers, counts: str) -> Iterator[Gate]:
    """A gateway behind a proxy that it trusts, so that a test can come from any address."""
    with gate_with_people(
        servers.database_url, counts, sign_ins_per_minute=MOST, trusted_proxies="127.0.0.1"
    ) as gate:
        yield gate


# Wrong on purpose.
def guess(gate: Gate, name: str, address: str, password: str = "wrong") -> httpx.Response:  # noqa: S107
    headers = {"Host": "luna.example", "X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
    with httpx.Client(base_url=gate.client.base_url, verify=NO_CERTIFICATES) as program:
        return program.post(
            "/v1/auth/login",
            json={"name": name, "password": password, "form": "tokens"},
            headers=headers,
        )


def test_made_up_addresses_open_no_further_tries(servers: Servers, counts: str) -> None:
    with gate_with_people(servers.database_url, counts, sign_ins_per_minute=MOST) as gate:
        statuses = [
            guess(gate, f"name-{number}", f"198.51.100.{number}").status_code
            for number in range(MOST + 3)
        ]
    assert statuses == [401] * MOST + [429] * 3


def test_what_is_tried_at_once_is_counted_as_what_is_tried_in_turn(behind: Gate) -> None:
    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(
            pool.map(lambda _: guess(behind, "somebody", "198.51.100.9").status_code, range(32))
        )
    assert statuses == {401: MOST, 429: 32 - MOST}


def test_many_addresses_and_many_names_are_bounded_in_all(behind: Gate) -> None:
    most = LOGIN_SHARE * MOST
    more = 6
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(
            lambda number: guess(behind, f"name-{number}", f"203.0.113.{number}").status_code,
            range(most + more),
        )
        assert Counter(answers) == {401: most, 429: more}
    # Who is at home gets in all the same.
    assert guess(behind, NAMES["user"], HOME, PASSWORD).status_code == 200


def test_a_name_that_is_guessed_from_outside_still_gets_in_at_home(behind: Gate) -> None:
    statuses = [
        guess(behind, NAMES["user"], f"198.51.100.{number}").status_code
        for number in range(MOST + 1)
    ]
    assert statuses == [401] * MOST + [429]
    assert guess(behind, NAMES["user"], "198.51.100.200", PASSWORD).status_code == 429
    assert guess(behind, NAMES["user"], HOME, PASSWORD).status_code == 200


def test_one_device_at_home_that_guesses_locks_out_no_other(behind: Gate) -> None:
    statuses = [guess(behind, NAMES["user"], HOME_GUEST).status_code for _ in range(MOST + 4)]
    assert statuses == [401] * MOST + [429] * 4
    assert guess(behind, NAMES["user"], HOME, PASSWORD).status_code == 200


def test_addresses_of_one_customer_are_counted_together(behind: Gate) -> None:
    statuses = [
        guess(behind, f"name-{number}", f"2a00:1450:1:2::{number + 1:x}").status_code
        for number in range(MOST + 2)
    ]
    assert statuses == [401] * MOST + [429] * 2


@each_row("tries", [0, MOST])
def test_an_answer_does_not_say_whether_there_is_such_a_name(behind: Gate, tries: int) -> None:
    answers = []
    for name, address in (
        (NAMES["admin"], f"198.51.100.{tries + 1}"),
        ("nobody-of-this-name", f"198.51.100.{tries + 100}"),
    ):
        for _ in range(tries):
            guess(behind, name, address)
        answer = guess(behind, name, address)
        told = answer.json()
        # The seconds to wait differ by when it was asked.
        kept = {
            key: re.sub(r"\d+ seconds", "n seconds", str(value))
            for key, value in told.items()
            if key not in {"trace_id", "instance"}
        }
        answers.append((answer.status_code, kept, sorted(answer.headers)))
    assert answers[0] == answers[1]


def test_a_link_cannot_be_guessed_at_leisure(servers: Servers, counts: str, tmp_path: Path) -> None:
    with empty_gate(
        servers.database_url, counts, data_folder=tmp_path, sign_ins_per_minute=MOST
    ) as gate:
        # Pydantic-settings reads it.
        make_link(Settings(_env_file=None, data_folder=tmp_path), now=SystemClock().now())  # type: ignore[call-arg]
        statuses = [
            gate.client.get(f"/ui/open?code=guess-{number}").status_code
            for number in range(MOST + 3)
        ]
    assert statuses == [410] * MOST + [429] * 3
