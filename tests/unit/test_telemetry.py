"""Log lines and health checks."""

import json
import logging

import pytest
import structlog
from pydantic import SecretStr

from luna.errors import UnavailableError
from luna.telemetry import check_health, configure_logging, hide_secrets, log_context, new_trace_id


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"password": "geheim"}, id="by name"),
        pytest.param({"options": {"api_key": "geheim"}}, id="nested"),
        pytest.param({"event": "Connected to redis://:geheim@127.0.0.1:6379/0"}, id="password in a URL"),
        pytest.param({"urls": ["postgresql+psycopg://luna:geheim@db/luna"]}, id="URL in a list"),
        pytest.param({"setting": SecretStr("geheim")}, id="secret value"),
        pytest.param({"exception": "Traceback …\nConnectionError: amqp://user:geheim@host"}, id="traceback"),
    ],
)
def test_a_secret_is_never_written(event: dict[str, object]) -> None:
    assert "geheim" not in str(hide_secrets(None, "info", event))


def test_a_line_is_json_with_service_and_context(capsys: pytest.CaptureFixture[str]) -> None:
    before, level = logging.root.handlers, logging.root.level
    configure_logging("planner")
    with log_context(trace_id="t-1", site_id=None):
        structlog.get_logger("luna.test").info("plan issued", slots=192)
        logging.getLogger("library").warning("slow")
    logging.root.handlers, logging.root.level = before, level
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["service"], ours["trace_id"], ours["slots"]) == ("plan issued", "planner", "t-1", 192)
    assert (theirs["event"], theirs["level"], theirs["trace_id"]) == ("slow", "warning", "t-1")
    assert "site_id" not in ours


def test_a_count_of_tokens_is_no_secret() -> None:
    assert hide_secrets(None, "info", {"prompt_tokens": 12}) == {"prompt_tokens": 12}


def away() -> str:
    raise UnavailableError("the database does not answer", field="database_url")


def test_a_check_says_what_is_wrong_and_how_long_it_took() -> None:
    check = check_health("database", away)
    assert not check.ok
    assert "does not answer" in check.detail
    assert check.latency_ms >= 0


@pytest.mark.parametrize(("wanted", "kept"), [("a" * 32, True), ("short", False), ("x\ny" * 9, False), (None, False)])
def test_a_trace_id_from_outside_is_kept_only_if_it_is_fit(wanted: str | None, kept: bool) -> None:
    assert (new_trace_id(wanted) == wanted) == kept
