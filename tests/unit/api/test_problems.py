"""What a caller is told of an error that nobody foresaw."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from services.api.problems import add_problem_handlers


def failing_with(error: Exception) -> TestClient:
    app = FastAPI()
    app.state.headers = {}
    add_problem_handlers(app)

    @app.get("/")
    def fail() -> None:
        raise error

    return TestClient(app, raise_server_exceptions=False)


def caused_by(cause: BaseException) -> RuntimeError:
    error = RuntimeError("the library failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("can't start new thread"), caused_by(MemoryError())],
    ids=["no memory", "no thread", "a cause"],
)
def test_a_request_that_finds_no_memory_may_come_again(error: Exception) -> None:
    answer = failing_with(error).get("/")
    assert (answer.status_code, answer.json()["reason"]) == (503, "memory-short")
    assert int(answer.headers["Retry-After"]) > 0


def test_another_error_is_none_of_memory() -> None:
    answer = failing_with(ZeroDivisionError("an inner detail")).get("/")
    assert (answer.status_code, answer.json().get("reason")) == (500, None)
    assert "inner detail" not in answer.text
