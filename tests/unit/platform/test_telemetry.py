"""Log lines and health checks."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog
from pydantic import SecretStr

from luna.platform.settings import Settings
from luna.platform.telemetry import (
    RECENT_LINES,
    configure_logging,
    describe_line,
    ensure_plain_lines,
    hide_secrets,
    log_context,
    new_trace_id,
)
from services.api.app import create_app
from tests.support.suite.tables import each_row


@each_row(
    "event",
    [
        pytest.param({"password": "geheim"}, id="by name"),
        pytest.param({"options": {"api_key": "geheim"}}, id="nested"),
        pytest.param(
            {"event": "Connected to redis://:geheim@127.0.0.1:6379/0"}, id="password in a URL"
        ),
        pytest.param({"urls": ["postgresql+psycopg://luna:geheim@db/luna"]}, id="URL in a list"),
        pytest.param({"setting": SecretStr("geheim")}, id="secret value"),
        pytest.param(
            {"exception": "Traceback …\nConnectionError: amqp://user:geheim@host"}, id="traceback"
        ),
    ],
)
def test_a_secret_is_never_written(event: dict[str, object]) -> None:
    assert "geheim" not in str(hide_secrets(None, "info", event))


def test_a_line_is_json_with_service_and_context(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.root.handlers
    level = logging.root.level
    configure_logging("planner")
    with log_context(trace_id="t-1", site_id=None):
        structlog.get_logger("luna.test").info("plan issued", slots=192)
        logging.getLogger("library").warning("slow")
    logging.root.handlers = before
    logging.root.level = level
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["service"], ours["trace_id"], ours["slots"]) == (
        "plan issued",
        "planner",
        "t-1",
        192,
    )
    assert (theirs["event"], theirs["level"], theirs["trace_id"]) == ("slow", "warning", "t-1")
    assert "site_id" not in ours


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_on_a_terminal_is_for_people_and_on_the_log_page_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    # In the test itself: pytest sets its own before each step.
    monkeypatch.setattr(sys, "stderr", terminal)
    before = logging.root.handlers
    level = logging.root.level
    configure_logging("planner")
    with log_context(trace_id="t-1"):
        structlog.get_logger("luna.test").info("plan issued", slots=192)
    logging.root.handlers = before
    logging.root.level = level
    [line] = terminal.getvalue().splitlines()
    assert line.split(maxsplit=1)[1].split() == ["info", "planner:", "plan", "issued", "slots=192"]
    assert json.loads(RECENT_LINES[-1])["trace_id"] == "t-1"


@each_row(
    ("line", "shown"),
    [
        ("no JSON", "no JSON"),
        ("[1]", "[1]"),
        (
            '{"event": "slow", "level": "warning", "service": "api", "exception": "Traceback"}',
            "warning api: slow\nTraceback",
        ),
    ],
)
def test_a_line_of_another_process_is_shown_in_the_same_form(line: str, shown: str) -> None:
    assert describe_line(line) == shown


@pytest.fixture
def unconfigured() -> Iterator[None]:
    """Logs as they are before anybody configured them."""
    handlers = logging.root.handlers
    level = logging.root.level
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    ensure_plain_lines()
    logging.root.handlers = handlers
    logging.root.level = level


def fail_with_a_secret() -> None:
    """Fail while a local variable holds a secret, also that of whoever raised first."""
    code = "g" + "eheim"
    try:
        {}[len(code)]
    except KeyError as exc:
        raise ValueError("no such thing") from exc


@pytest.mark.parametrize(
    "configure", [lambda: configure_logging("test"), ensure_plain_lines], ids=["json", "console"]
)
@pytest.mark.usefixtures("unconfigured")
def test_a_traceback_names_no_local_variable(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    try:
        fail_with_a_secret()
    except ValueError:
        structlog.get_logger("luna.test").exception("the turn failed")
        logging.getLogger("library").exception("failed too")
    written = "".join(capsys.readouterr())
    assert "fail_with_a_secret" in written
    assert "geheim" not in written


@pytest.mark.usefixtures("unconfigured")
def test_who_embeds_the_gateway_gets_lines_without_local_variables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    create_app(Settings())
    try:
        fail_with_a_secret()
    except ValueError:
        structlog.get_logger("luna.test").exception("the turn failed")
    written = capsys.readouterr().out
    assert "ValueError: no such thing" in written
    assert "geheim" not in written


def test_a_count_of_tokens_is_no_secret() -> None:
    assert hide_secrets(None, "info", {"prompt_tokens": 12}) == {"prompt_tokens": 12}


@each_row(
    ("wanted", "kept"), [("a" * 32, True), ("short", False), ("x\ny" * 9, False), (None, False)]
)
def test_a_trace_id_from_outside_is_kept_only_if_it_is_fit(wanted: str | None, kept: bool) -> None:
    assert (new_trace_id(wanted) == wanted) == kept
