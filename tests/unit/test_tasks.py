"""Every task is declared once: its request says how often it is asked for and by whom, and one list
names it.
"""

from pathlib import Path

from luna.contracts.message import Message, Request
from luna.contracts.tasks import REQUESTS, list_periodic, list_public
from luna.platform.queue.services import SERVICES
from tests.support.suite.tables import each_row

SERVICE_FOLDER = Path(__file__).parents[2] / "services"


@each_row("request_class", REQUESTS, ids=lambda request_class: request_class.task)
def test_a_task_is_named_after_its_service_and_has_a_reply(request_class: type[Request]) -> None:
    service, noun, verb = request_class.task.split(".")
    assert (SERVICE_FOLDER / service / "tasks.py").exists()
    assert noun.isidentifier()
    assert verb.isidentifier()
    assert issubclass(request_class.reply, Message)


@each_row("request_class", list_periodic(), ids=lambda request_class: request_class.task)
def test_what_beat_asks_for_needs_no_more_than_defaults(request_class: type[Request]) -> None:
    assert request_class().queue() in SERVICES


def test_each_schedule_has_an_option_of_its_own() -> None:
    options = [schedule.option for schedule in list_periodic().values()]
    assert sorted(set(options)) == sorted(options)


def test_upkeep_is_not_to_be_asked_for_as_a_job() -> None:
    # These three act on every site's rows and on nobody's behalf.
    assert not {"ingest.jobs.resend", "ingest.rollups.refresh", "ingest.retention.apply"} & set(
        list_public()
    )
