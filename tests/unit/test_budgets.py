"""What tests may take, by the recorded durations: a file, a test of everybody's loop, a suite.

Record anew: ``pytest --record-durations``.
"""

from collections.abc import Iterator

from tests.selection.durations import SLOW_FOLDER, TABLE, FileDuration, read_table
from tests.support.documentation.pages import ROOT
from tests.support.suite.tables import each_row

RECORDED = read_table(ROOT / TABLE)
LOOP_FOLDERS = ("tests/unit/", "tests/properties/", "tests/integration/")
# As long as they take among others: in a run of three processes on two cores.
FILE_SECONDS = {
    "tests/unit/": 10.0,
    "tests/properties/": 10.0,
    "tests/integration/": 17.0,
    SLOW_FOLDER: 35.0,
}
# Of all files of a suite, one after the other.
LOOP_SECONDS = 680.0
SYSTEM_SECONDS = 1950.0
TEST_SECONDS = 3.0
MOST_LONGER_TESTS = 12
# Files with more time than others, and why.
LONGER_FILES: dict[str, tuple[float, str]] = {
    "tests/integration/drivers/test_profiles.py": (
        30.0,
        "every product does what its profile says",
    ),
    "tests/integration/pages/test_setup.py": (22.0, "a home is set up anew for each test"),
    "tests/system/agent/test_evaluation.py": (
        70.0,
        "an agent is trained for two quarters and compared",
    ),
    "tests/system/backup/test_faults.py": (55.0, "a backup and a restore for each fault"),
    "tests/system/bench/test_fortnight.py": (50.0, "hours of a home with all of its processes"),
    "tests/system/browser/test_found_inverter.py": (
        45.0,
        "an inverter is found, set up and told, in the browser",
    ),
    "tests/system/browser/test_home.py": (
        45.0,
        "the page of a home, in two languages and on a phone",
    ),
    "tests/system/browser/test_open_pages.py": (47.0, "a page shows what another one changed"),
    "tests/system/edge/test_pipeline.py": (60.0, "all stages of the lab, and their loops compiled"),
    "tests/system/simulated_home/test_live_demo.py": (
        80.0,
        "the first hour of a home that lives, removed and begun anew",
    ),
    "tests/system/test_up.py": (80.0, "all processes, started twice"),
    "tests/system/test_worker_health.py": (45.0, "workers that freeze are waited for"),
}
# Files of everybody's loop with a test that takes longer than three seconds, and why.
LONGER_TESTS: dict[str, str] = {
    "tests/integration/cli/test_devices.py": "a charger is tried until it stands still",
    "tests/integration/cli/test_remote.py": "documents elsewhere are listed once they are read",
    "tests/integration/drivers/test_device_search.py": "devices announce themselves when they like",
    "tests/integration/drivers/test_mqtt_points.py": "a broker that was away is asked again",
    "tests/integration/identity/test_access.py": "every operation is asked in every role",
    "tests/integration/identity/test_what_a_key_sees.py": "every operation is asked twice",
    "tests/integration/ingest/test_price_jobs.py": "a service of prices is not asked in a row",
    "tests/integration/pages/test_broker_topics_page.py": "a broker is listened to for a while",
    "tests/integration/pages/test_data_page.py": "corrected rows are stored by a worker",
    "tests/integration/pages/test_setup.py": "a worker starts and makes the first plan",
    "tests/unit/api/test_shared_reads.py": "who watches a job asks again after three seconds",
}


def files_in(*folders: str) -> dict[str, FileDuration]:
    return {path: duration for path, duration in RECORDED.items() if path.startswith(folders)}


def list_budgets() -> Iterator[tuple[str, float]]:
    for folder, seconds in FILE_SECONDS.items():
        for path in files_in(folder):
            longer, _ = LONGER_FILES.get(path, (seconds, ""))
            yield path, longer


@each_row("path, budget", list(list_budgets()))
def test_a_file_takes_no_longer_than_its_budget(path: str, budget: float) -> None:
    assert RECORDED[path].seconds <= budget


def test_no_test_of_everybodys_loop_takes_longer_than_three_seconds_but_a_dozen() -> None:
    longer = {
        path
        for path, duration in files_in(*LOOP_FOLDERS).items()
        if duration.longest > TEST_SECONDS
    }
    assert longer <= set(LONGER_TESTS)
    assert len(LONGER_TESTS) <= MOST_LONGER_TESTS


def test_what_has_more_time_than_others_is_there() -> None:
    assert [path for path in [*LONGER_FILES, *LONGER_TESTS] if not (ROOT / path).is_file()] == []


def test_a_suite_takes_no_longer_than_its_budget() -> None:
    assert sum(duration.seconds for duration in files_in(*LOOP_FOLDERS).values()) <= LOOP_SECONDS
    assert sum(duration.seconds for duration in files_in(SLOW_FOLDER).values()) <= SYSTEM_SECONDS
