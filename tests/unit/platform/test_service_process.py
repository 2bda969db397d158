"""How a process beside the gateway begins and ends."""

import signal

import pytest
import structlog

from luna.energy.errors import MachineError
from luna.platform.service_process import end_on_signals, exit_from, health_parser

LOG = structlog.get_logger("luna.test")


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_asks_for_the_end(kind: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        ending = end_on_signals()
        assert not ending.is_set()
        signal.raise_signal(kind)
        assert ending.is_set()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_a_process_ends_as_its_main_function_returns() -> None:
    with pytest.raises(SystemExit) as ended:
        exit_from(lambda: 3, LOG, "it cannot start")
    assert ended.value.code == 3


def test_a_fault_that_somebody_can_mend_has_its_own_exit_code_and_no_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    fault = MachineError("no program", field="redis", remedy="Install it.")

    def fail() -> int:
        raise fault

    with pytest.raises(SystemExit) as ended:
        exit_from(fail, LOG, "it cannot start")
    assert ended.value.code == fault.exit_code
    assert "Traceback" not in "".join(capfd.readouterr())


def test_health_is_served_on_no_port_by_default() -> None:
    assert health_parser("services.example", "An example.").parse_args([]).health_port == 0
