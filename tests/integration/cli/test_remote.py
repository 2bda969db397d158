"""`luna --server`: what is declared is carried out by a gateway elsewhere, and told as if it were
here.
"""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy import Engine, text

from luna.contracts.control import ControlState
from luna.energy.errors import OutdatedError
from luna.energy.row_fault import RowFault
from luna.house.capabilities.sites import PastOfSite, change_site, read_site
from luna.house.desk.desk import RemoteDesk
from luna.platform.database import quarantine
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.cli.console import follow_progress
from tests.support.command_line.call import Luna, Said
from tests.support.control.inverters import describe
from tests.support.database.site import stored_site
from tests.support.gateway.server import OWNER_TOKEN, serve
from tests.support.worker.workers import worker_process

SITE = {
    "name": "cellar",
    "timezone": "Europe/Berlin",
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "vehicles": [{"name": "car", "capacity_kwh": 40}],
    "input_sensors": {"total_load_consumption": "meter"},
    "control": describe("dry_run"),
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": 0.07},
    },
}
AT = ("--site", "cellar")
BLOCK = (
    "--device",
    "battery",
    "--action",
    "charge",
    "--from",
    "2099-07-01T04:00",
    "--until",
    "2099-07-01T06:00",
    "--power-kw",
    "3",
)


@pytest.fixture(scope="module")
def url(
    database: Engine, database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("worker")
    services = (
        "services.ingest.tasks",
        "services.rag.tasks",
        "services.forecaster.tasks",
        "services.planner.tasks",
    )
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with (
        stored_site(database, **SITE),
        worker_process(redis_url, database_url, *services, data_folder=folder),
        serve(addresses) as client,
    ):
        yield str(client.base_url)
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs"))


@pytest.fixture
def laptop(luna: Luna, url: str, monkeypatch: pytest.MonkeyPatch) -> Luna:
    """Commands of a machine that has no Luna of its own."""
    monkeypatch.setenv("LUNA_DATABASE_URL", "postgresql://luna@127.0.0.1:9/none")
    monkeypatch.setenv("LUNA_REDIS_URL", "redis://127.0.0.1:9/0")
    monkeypatch.setenv("LUNA_KEY", OWNER_TOKEN)
    return lambda *words: luna("--server", url, *words)


def test_a_block_is_pinned_listed_and_taken_back_elsewhere(laptop: Luna) -> None:
    added = laptop("manual", "add", *AT, *BLOCK, "--json")
    assert added.code == 0, added.err
    # By the site's clock: Berlin is two hours ahead of UTC in July.
    assert (added.document["from"], added.document["power_kw"], added.document["added_by"]) == (
        "2099-07-01T02:00:00Z",
        3.0,
        "owner",
    )
    listed = laptop("manual", "list", *AT).out
    assert [
        piece
        for piece in ("battery", "charge", "04:00 CEST", "06:00 CEST", "owner")
        if piece not in listed
    ] == []
    number = str(added.document["block_id"])
    removed = laptop("manual", "remove", *AT, "--block", number)
    assert (removed.code, removed.out.strip()) == (
        0,
        f"Block {number} is in no plan of cellar any more.",
    )
    assert laptop("manual", "list", *AT).out.strip() == "There are no settings."
    assert (
        laptop("manual", "list", *AT, "--history", "--json").document["blocks"][0]["removed_by"]
        == "owner"
    )


def test_a_site_elsewhere_is_changed_only_in_the_version_that_was_read(url: str) -> None:
    with RemoteDesk(url, OWNER_TOKEN, follow=follow_progress, ask_password=lambda: None) as desk:
        site = desk.ask(read_site, {"site_id": "cellar"})
        given = {"site_id": "cellar", "site": site, "past": PastOfSite()}
        with pytest.raises(OutdatedError):
            desk.ask(change_site, given | {"version": 4711})
        assert desk.ask(change_site, given | {"version": 1}) == site


def test_devices_are_armed_overridden_and_handed_back_elsewhere(laptop: Luna) -> None:
    assert "Luna sends nothing" in laptop("control", "arm", *AT).out
    wanted = laptop(
        "control",
        "override",
        *AT,
        "--mode",
        "Charge",
        "--until",
        "2099-07-01T18:00",
        "--power-kw",
        "2",
        "--json",
    )
    assert wanted.code == 0, wanted.err
    assert (wanted.document["override"]["mode"], wanted.document["override"]["until"]) == (
        "charge",
        "2099-07-01T16:00:00Z",
    )
    status = laptop("control", "status", *AT).out
    assert [
        piece
        for piece in (
            "cellar is armed since",
            "by owner",
            "Override of batteries",
            "2099-07-01 18:00",
        )
        if piece not in status
    ] == []
    decided = laptop(
        "control",
        "decisions",
        *AT,
        "--from",
        "2026-03-01",
        "--to",
        "2026-03-02 18:00",
        "--limit",
        "5",
        "--json",
    )
    assert (decided.code, decided.document) == (0, {"decisions": [], "cursor": None})
    assert laptop("control", "resume", *AT).out.strip() == "cellar follows its plan again."
    assert (
        laptop("control", "vacation", *AT).out.strip()
        == "cellar is on vacation; the next forecast and plan use it."
    )
    assert laptop("control", "vacation", *AT, "--end").code == 0
    assert laptop("control", "disarm", *AT).out.startswith("cellar is not armed any more")


def test_what_a_site_has_and_planned_is_listed_elsewhere(laptop: Luna) -> None:
    devices = laptop("site", "devices", *AT).out
    assert [piece for piece in ("battery", "car", "kWh", "told as") if piece not in devices] == []
    assert laptop("data", "changes", *AT).out.strip() == "There are no changes."
    assert laptop("notify", "list", *AT).out.strip() == "There are no messages yet."
    assert (
        laptop("plans", "list", *AT).out.strip()
        == "There are no plans: run luna plan --site cellar."
    )
    assert (
        laptop("plans", "check", *AT, "--from", "2024-06-01", "--to", "2024-06-02").out.strip()
        == "0 plans, 0 broken"
    )
    assert laptop("plans", "changes", "--plan", "none").problem["status"] == 404


def test_what_was_refused_and_what_was_done_is_listed_elsewhere(
    laptop: Luna, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        quarantine.begin(connection)
        quarantine.add(
            connection, [(7, RowFault.of("no_number", series="load_kwh").text, '{"load_kwh": "x"}')]
        )
        quarantine.finish(connection, "cellar", kind="observations", source="meter.csv")
    listed = laptop("data", "quarantine", "list", *AT).out
    assert [
        piece
        for piece in ("observations", "7", "Consumption is not a number", "load_kwh=x")
        if piece not in listed
    ] == []
    assert (
        laptop("data", "quarantine", "list", *AT, "--status", "dismissed").out.strip()
        == "Nothing waits here: `--status` shows what was decided."
    )
    with unit_of_work(database) as connection:
        (row,) = quarantine.list_rows(connection, "cellar", status="open", limit=1)
    number = str(row.quarantine_id)
    untrue = laptop("data", "quarantine", "correct", number, *AT, "--value", "load_kwh=y")
    assert (untrue.code, untrue.problem["field"]) == (2, "quarantine_id"), untrue.err
    assert (
        laptop("data", "quarantine", "dismiss", number, *AT).out.strip()
        == f"Row {number} is dismissed; 0 values of the past changed."
    )
    assert laptop("data", "quarantine", "release", number, *AT).problem["status"] == 409
    laptop("manual", "remove", *AT, "--block", "4711")
    done = laptop(
        "audit",
        "list",
        *AT,
        "--user",
        "local",
        "--operation",
        "remove_manual_block",
        "--limit",
        "1",
        "--json",
    ).document["entries"]
    assert [(entry["means"], entry["site"], entry["status"]) for entry in done] == [
        ("local", "cellar", 404)
    ]
    # Also of a site that is gone the log tells what was done.
    assert laptop("audit", "list", "--site", "gone").out.strip() == "There are no actions yet."


def test_a_session_is_said_as_on_the_own_machine(laptop: Luna) -> None:
    added = laptop(
        "session",
        "add",
        *AT,
        "--from",
        "2099-07-01 18:00",
        "--to",
        "07:00",
        "--target",
        "80%",
        "--soc",
        "0.4",
        "--json",
    )
    assert added.code == 0, added.err
    assert (added.document["vehicle"], added.document["to"], added.document["target_soc"]) == (
        "car",
        "2099-07-02T05:00:00Z",
        0.8,
    )
    assert (
        laptop("session", "remove", *AT, "--session", str(added.document["session_id"])).code == 0
    )


def test_answers_series_prices_and_runs_elsewhere_are_listed(laptop: Luna) -> None:
    # Other tests ask, and have runs made.
    assert [
        laptop(*words, "--json").code
        for words in (("answers", "list"), ("edge", "runs"), ("recommend",))
    ] == [0, 0, 0]
    assert laptop("answers", "show", "none").problem["status"] == 404
    # Another test said that nobody is at home.
    known = laptop("data", "series", *AT, "--json").document
    assert (
        {each["series"] for each in known["series"]} <= {"sensor_readings:luna:vacation"},
        known["cursor"],
    ) == (True, None)
    priced = laptop(
        "data", "tariff", *AT, "--from", "2099-07-01", "--to", "2099-07-01 01:00", "--json"
    ).document
    assert priced["prices"][0] == {
        "start": "2099-06-30T22:00:00Z",
        "import_price": 0.3,
        "export_price": 0.07,
        "version": None,
    }
    assert laptop("edge", "result", "none").problem["status"] == 404
    assert (
        laptop("recommend", "evaluate").code,
        laptop("recommend", "refresh").problem["field"],
    ) == (2, "--server")


def test_a_plan_elsewhere_is_shown_and_asked_for_alternatives(laptop: Luna) -> None:
    assert [laptop("plans", verb, *AT).problem["status"] for verb in ("show", "reasons")] == [
        404,
        404,
    ]
    unknown = laptop("why-not", "--plan", "none", "--slot", "2099-07-01 12:00", "--mode", "hold")
    assert unknown.problem["status"] == 404
    assert laptop("what-if", *AT, "--export", "2").problem["status"] == 404
    assert laptop("what-if", "--id", "none").problem["status"] == 404


def test_a_site_elsewhere_is_removed_only_when_that_is_meant(laptop: Luna) -> None:
    assert (laptop("site", "remove", *AT).code, laptop("site", "remove", *AT).problem["field"]) == (
        2,
        "--yes",
    )
    assert laptop("site", "remove", "--site", "attic", "--yes").problem["status"] == 404


def test_a_worker_elsewhere_is_asked(laptop: Luna) -> None:
    found = laptop("search", "grid fees", "--site", "cellar", "--json")
    assert (found.code, found.document["passages"]) == (0, []), found.err
    assert laptop("search", "grid fees").out.strip() == "Nothing was found."


def test_forecasts_elsewhere_are_listed_explained_and_their_version_is_changed(
    laptop: Luna,
) -> None:
    assert (
        laptop("forecast", "list", *AT).out.strip()
        == "There are no forecasts: run luna forecast issue --site cellar --at T."
    )
    unexplained = laptop("forecast", "explain", *AT, "--at", "2024-06-01 12:00")
    assert (unexplained.code, unexplained.problem["value"]) == (2, "2024-06-01T12:00:00+02:00"), (
        unexplained.err
    )
    promoted = laptop(
        "forecast", "promote", *AT, "--version", "baseline_like_days", "--reason", "a try"
    )
    assert promoted.out.strip() == "baseline_like_days drives the planner: a try", promoted.err
    assert "drives the planner" in laptop("forecast", "rollback", *AT).out
    untrained = laptop("forecast", "train", *AT)
    assert (untrained.code, untrained.problem["type"]) == (2, "urn:luna:problem:invalid-input"), (
        untrained.err
    )
    assert laptop("forecast", "card", *AT).problem["status"] == 404


def test_documents_elsewhere_are_listed(laptop: Luna) -> None:
    assert (
        laptop("docs", "list", "--kind", "tariff").out.strip()
        == "No documents: luna docs add FILE."
    )
    assert laptop("docs", "versions", "none").problem["status"] == 404
    assert laptop("docs", "validity", "none", "--from", "2024-01-01").problem["status"] == 404
    assert [laptop("docs", verb, "none").problem["status"] for verb in ("show", "remove")] == [
        404,
        404,
    ]
    made = laptop("rag", "reindex", "--json")
    assert (made.code, made.document["documents"]) == (0, 0), made.err


def test_a_job_elsewhere_is_waited_for_looked_at_and_tried_again(laptop: Luna) -> None:
    built = laptop("data", "slots", *AT, "--from", "2024-06-01", "--to", "2024-06-02", "--json")
    assert built.code == 0, built.err
    assert (built.document["first"], built.document["slots_written"]) == ("2024-05-31T22:00:00Z", 0)
    assert (
        "0 quarter-hours new or changed"
        in laptop("data", "slots", *AT, "--from", "2024-06-01", "--to", "2024-06-02").out
    )
    listed = laptop("jobs", "list", "--status", "done", "--json").document["jobs"]
    job = next(each["job_id"] for each in listed if each["task"] == "ingest.slots.build")
    shown = laptop("jobs", "show", job).out
    assert [
        piece for piece in ("ingest.slots.build", "done", "cellar", "CE") if piece not in shown
    ] == []
    watched = laptop("jobs", "watch", job, "--json")
    assert (
        watched.code,
        watched.document["status"],
        watched.document["reply"]["slots_written"],
    ) == (0, "done", 0), watched.err
    assert (laptop("jobs", "cancel", job).code, laptop("jobs", "retry", job).problem["status"]) == (
        1,
        409,
    )


def test_the_past_elsewhere_is_judged_searched_for_gaps_and_repaired(laptop: Luna) -> None:
    days = (*AT, "--from", "2024-06-01", "--to", "2024-06-02")
    judged = laptop("data", "quality", *days, "--json")
    assert (judged.code, [site["site_id"] for site in judged.document["sites"]]) == (
        0,
        ["cellar"],
    ), judged.err
    assert (
        laptop("data", "verdicts", *AT, "--to", "2020-01-01").out.strip()
        == "No days are checked yet: run luna data quality --site cellar."
    )
    gaps = laptop("data", "gaps", *days, "--limit", "1", "--json").document
    assert (gaps["gaps"][0]["first"], gaps["gaps"][0]["slots"], gaps["cursor"]) == (
        "2024-05-31T22:00:00Z",
        96,
        None,
    )
    assert laptop("data", "repair", *days, "--dry-run").out.strip() == "There is nothing to repair."
    unknown = [laptop("data", verb, *days) for verb in ("backfill", "verify")]
    assert [said.problem["field"] for said in unknown] == ["LUNA_HOME_ASSISTANT_URL"] * 2
    assert (
        laptop("data", "verify", *AT, "--from", "2024-06-02", "--to", "2024-06-01").problem["field"]
        == "--to"
    )


def test_the_agent_elsewhere_says_where_it_stands_and_control_is_taken_from_it(
    laptop: Luna,
) -> None:
    standing = laptop("agent", "status", *AT)
    assert [
        piece
        for piece in (
            "cellar: Antares, not trained",
            "Mode shadow",
            "luna agent train --site cellar",
        )
        if piece not in standing.out
    ] == [], standing.err
    said = {
        verb: laptop("agent", verb, *AT).out.strip() for verb in ("slots", "runs", "gates", "plans")
    }
    assert said == {
        "slots": "There are no decisions and plans in this period.",
        "runs": "There is no training yet: run luna agent train.",
        "gates": "There are no decisions yet.",
        "plans": "The agent has made no plan yet.",
    }
    assert laptop("agent", "scores", *AT, "--period", "week", "--json").document["days"] == []
    assert laptop("scores", *AT).out.strip() == "There are no scores yet: run luna replay."
    assert laptop("agent", "card", *AT, "--run", "none").problem["status"] == 404
    withdrawn = laptop("agent", "withdraw", *AT, "--json").document["gates"]
    assert {(gate["state"], gate["decided_by"]) for gate in withdrawn} == {("withdrawn", "owner")}
    few = laptop("agent", "evaluate", *AT, "--days", "3")
    assert (few.code, few.problem["field"]) == (2, "--days")


def test_the_sites_elsewhere_are_listed(laptop: Luna) -> None:
    assert "cellar" in laptop("site", "list").out
    assert "cellar" in [site["name"] for site in laptop("site", "list", "--json").document["sites"]]


@pytest.mark.parametrize(
    ("words", "field", "detail"),
    [
        (("manual", "add", *AT, "--device", "boat", *BLOCK[2:]), "block.device", "boat"),
        (("manual", "add", *AT, *BLOCK[:-1], "nothing"), "--power-kw", "nothing"),
        (("manual", "add", *AT, *BLOCK[:-1], "-3"), "--power-kw", "greater than 0"),
        (("manual", "list", "--site", "attic"), "site", "attic"),
        (("manual", "remove", *AT, "--block", "4711"), "block_id", "4711"),
        (("control", "decisions", *AT, "--from", "yesterday"), "--from", "yesterday"),
        (("control", "decisions", *AT, "--limit", "0"), "--limit", "greater than or equal to 1"),
        (("search", ""), "query", "at least 1 character"),
        (
            ("data", "slots", *AT, "--from", "2024-06-02", "--to", "2024-06-01"),
            "to",
            "the end is not after the start",
        ),
        (("jobs", "show", "4711"), "job_id", "4711"),
        (("data", "quarantine", "list", "--site", "attic"), "site", "attic"),
        (("data", "quarantine", "release", "4711", *AT), "quarantine_id", "4711"),
        (("data", "quarantine", "correct", "1", *AT, "--value", "0.4"), "--value", "0.4"),
        (("audit", "list", "--limit", "1001"), "--limit", "less than or equal to 1000"),
        (("plan", *AT), "--server", "own machine alone"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    laptop: Luna, words: tuple[str, ...], field: str, detail: str
) -> None:
    said = laptop(*words)
    assert said.code == 2, said.err
    assert said.problem["field"] == field
    assert detail in said.problem["detail"]
    assert said.problem["remedy"]


def test_a_wrong_key_is_refused(luna: Luna, url: str) -> None:
    said = luna("--server", url, "--key", "no key at all", "manual", "list", *AT)
    assert (said.code, said.problem["status"]) == (2, 401)


def test_a_site_is_not_asked_for_where_no_instant_is_given_or_shown(luna: Luna) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Disarmed) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        said = luna("--server", f"http://127.0.0.1:{server.server_port}", "control", "disarm", *AT)
        server.shutdown()
        thread.join()
    assert said.code == 0, said.err
    assert said.out.startswith("cellar is not armed any more")


class _Disarmed(BaseHTTPRequestHandler):
    """Carries one request out, and has no site to show."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(ControlState(site="cellar", device="batteries").model_dump_json().encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class _Other(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>a router</p>")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def router_page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Other) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_address_where_no_luna_is_is_named(luna: Luna, router_page: str) -> None:
    for address, code in ((router_page, 2), ("http://127.0.0.1:9", 1), ("not an address", 2)):
        said: Said = luna("--server", address, "manual", "list", *AT)
        assert (said.code, said.problem["field"]) == (code, "--server"), said.err
        assert said.problem["remedy"]
