"""The channel to steering: absent, hanging, restarted, and messages that are none."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from luna.contracts.steering import (
    StateQuestion,
    SteeringAnswer,
    SteeringRequest,
    SteeringState,
)
from luna.drivers import DEVICES_FOLDER
from luna.drivers.folder_lock import FolderLock
from luna.drivers.socket_channel import LONGEST_BYTES
from luna.house.steering_channel import (
    PATIENCE_SECONDS,
    PROCESS_LOCK,
    SOCKET_FILE,
    SteeringAwayError,
    SteeringClient,
    serve_steering,
)
from tests.support.control.executor import START

QUESTION = StateQuestion(site_id="home")


def answer(request: SteeringRequest) -> SteeringAnswer:
    return SteeringAnswer(state=SteeringState(site_id=request.site_id, at=START, sends=True))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[SteeringClient]:
    client = SteeringClient(tmp_path)
    yield client
    client.close()


@contextmanager
def raw_connection(folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(folder / DEVICES_FOLDER / SOCKET_FILE))
        connection.settimeout(10)
        yield connection


def test_a_question_is_answered(tmp_path: Path, client: SteeringClient) -> None:
    with serve_steering(tmp_path, answer):
        states = [client.ask(QUESTION) for _ in range(3)]
    assert [state and state.site_id for state in states] == ["home"] * 3


def test_one_that_is_away_is_named_at_once(client: SteeringClient) -> None:
    began = time.monotonic()
    with pytest.raises(SteeringAwayError):
        client.ask(QUESTION)
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_a_client_does_not_wait_for_one_that_hangs(tmp_path: Path, client: SteeringClient) -> None:
    go_on = threading.Event()

    def hang(request: SteeringRequest) -> SteeringAnswer:
        go_on.wait(30)
        return answer(request)

    with serve_steering(tmp_path, hang):
        began = time.monotonic()
        with pytest.raises(SteeringAwayError):
            client.ask(QUESTION)
        took_s = time.monotonic() - began
        go_on.set()
        wait_for_answer(client)
    assert took_s < PATIENCE_SECONDS + 0.3


def test_a_client_finds_the_restarted_one(tmp_path: Path, client: SteeringClient) -> None:
    with serve_steering(tmp_path, answer):
        client.ask(QUESTION)
    with serve_steering(tmp_path, answer):
        wait_for_answer(client)


def test_a_socket_that_a_killed_one_left_is_replaced(
    tmp_path: Path, client: SteeringClient
) -> None:
    folder = tmp_path / DEVICES_FOLDER
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / SOCKET_FILE))
    with serve_steering(tmp_path, answer):
        assert client.ask(QUESTION) is not None


@pytest.mark.parametrize(
    "line",
    [b"no json\n", b'{"kind": "target"}\n', b'{"kind": "state", "site_id": "\xff"}\n', b"\n"],
    ids=["text", "fields missing", "no text", "nothing"],
)
def test_what_cannot_be_read_is_refused_and_the_next_message_answered(
    tmp_path: Path, line: bytes
) -> None:
    with serve_steering(tmp_path, answer), raw_connection(tmp_path) as connection:
        lines = connection.makefile("rwb")
        lines.write(line)
        lines.flush()
        assert SteeringAnswer.model_validate_json(lines.readline()).fault is not None
        lines.write(QUESTION.model_dump_json().encode() + b"\n")
        lines.flush()
        assert SteeringAnswer.model_validate_json(lines.readline()).state is not None


def test_half_a_message_harms_nobody_else(tmp_path: Path, client: SteeringClient) -> None:
    with serve_steering(tmp_path, answer):
        with raw_connection(tmp_path) as connection:
            connection.sendall(b'{"kind": "state", "si')
            assert client.ask(QUESTION) is not None
        assert client.ask(QUESTION) is not None


def test_a_message_without_an_end_is_cut_off(tmp_path: Path, client: SteeringClient) -> None:
    with serve_steering(tmp_path, answer), raw_connection(tmp_path) as connection:
        connection.sendall(b"x" * (LONGEST_BYTES + 1))
        assert connection.recv(1) == b""
        assert client.ask(QUESTION) is not None


def test_a_folder_with_a_long_name_serves_as_well(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    client = SteeringClient(folder)
    with serve_steering(folder, answer):
        assert client.ask(QUESTION) is not None
    client.close()


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    first = FolderLock(tmp_path, PROCESS_LOCK)
    second = FolderLock(tmp_path, PROCESS_LOCK)
    assert second.is_free()
    assert first.take()
    assert not second.take()
    assert not second.is_free()
    first.release()
    assert second.is_free()
    assert second.take()


def wait_for_answer(client: SteeringClient) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            assert client.ask(QUESTION) is not None
        except SteeringAwayError:
            assert time.monotonic() < deadline
        else:
            return
