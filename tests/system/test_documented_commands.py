"""What README and guide tell a reader to type is done: every command that ends by itself and asks
no other machine.
"""

import csv
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql
from sqlalchemy.engine import make_url

from luna.platform.database import engine, observations
from luna.platform.database.migrate import upgrade
from luna.platform.embedded.supervisor import Servers
from tests.support.command_line.call import Luna, Said
from tests.support.database.databases import own_database
from tests.support.documentation.commands import CommandLine, find_commands
from tests.support.documentation.guide import NAMES, guide_page
from tests.support.documentation.pages import ROOT, Page, read_page
from tests.support.documents.sample_files import pdf
from tests.support.household.measurements import measure_days
from tests.support.suite.depth import LONG

# Of the German pages a test says that they hold the same commands.
PAGES = [read_page("README.md"), *(guide_page("en", name) for name in NAMES)]
NOT_RUN = {
    "luna up": "runs until Ctrl-C",
    "luna demo": "has a test of its own: tests/system/cli/test_demo.py",
    "luna devices scan": "asks a home's network",
    "luna devices test": "asks a device",
    "luna devices add": "changes how the site is told that others use",
    "luna devices watch": "runs until Ctrl-C",
    "luna devices simulate": "runs until Ctrl-C",
    "luna data backfill": "asks Home Assistant",
    "luna data verify": "asks Home Assistant",
    "luna data prices": "asks a service outside",
    "luna data weather": "asks a service outside",
    "luna data carbon": "asks a service outside",
    "luna what-if --site home --from": "takes minutes: a year",
    "luna replay --site home --site second": "takes minutes: two months",
    "luna agent train": "takes minutes: has tests of its own in tests/integration/agent",
    "luna agent evaluate": "takes minutes, for it trains",
    "luna agent compare": "needs a training",
    "luna agent plot": "needs a training",
    "luna replay --site home --from 2024-03-18 --to 2024-03-31 --policies idle,mpc,antares": (
        "needs a training"
    ),
    "luna backup": "has a test of its own: tests/system/backup/test_guide.py",
    "luna jobs show": "needs a job",
    "luna jobs retry": "needs a job",
    "luna jobs cancel": "needs a job",
    "luna jobs watch": "needs a job",
    "luna data quarantine release": "needs a refused row",
    "luna data quarantine correct": "needs a refused row",
    "luna data quarantine dismiss": "needs a refused row",
    "luna notify add": "asks for an address that no page may hold",
    "luna notify test": "needs somebody to tell",
    "luna docs add https": "asks the internet",
    "luna recommend evaluate": "needs readers",
    "luna import predbat": "saves a home: has tests of its own in tests/integration/cli",
    "luna car accept": "needs weeks in which a car was seen to leave",
    "luna car decline": "needs weeks in which a car was seen to leave",
    "luna session remove": "needs a session of its number",
    "luna manual remove": "needs a block of its number",
    "luna limits release": "needs a limit of its name",
    "luna why-not --plan PLAN_ID --slot 2024-03-20 18:00 --device car": (
        "needs a car with a session"
    ),
}
# Half of the time that all commands take; what these do is tested elsewhere in short runs as well.
RUN_AT_LENGTH = (
    "luna forecast evaluate --site home --from",
    "luna replay --site home --from",
    "luna docs add --examples",
)
LEFT_OUT = tuple(NOT_RUN) if LONG else (*NOT_RUN, *RUN_AT_LENGTH)
PEERS = ROOT / "tests/support/peer_import"
PEER_FILES = {
    "evcc.yaml": "evcc/germany_hybrid.yaml",
    "config.json": "emhass/france_addon.json",
}
MARCH = datetime(2024, 2, 29, 23, tzinfo=UTC)
LATELY = 20


@dataclass
class PreparedHome:
    """A database and a data folder that hold a March and the last weeks of the site ``home``, two
    plans and a document; each page gets a copy of both.
    """

    database_url: str
    folder: Path
    names: dict[str, str] = field(default_factory=dict)


@contextmanager
def copied_database(database_url: str) -> Iterator[str]:
    """Yield the address of a copy of a database that nobody uses meanwhile.

    It is dropped afterwards.
    """
    address = make_url(database_url).set(drivername="postgresql")
    name = f"luna_documented_{uuid.uuid4().hex[:8]}"
    keeper_address = address.set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(keeper_address, autocommit=True) as keeper:
        # What a command has left open ends with it at the latest.
        keeper.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (address.database,),
        )
        keeper.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(address.database or "")
            )
        )
        try:
            yield address.set(database=name).render_as_string(hide_password=False)
        finally:
            keeper.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def home(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreparedHome]:
    """An empty one: commands of a test's own fill it."""
    with own_database(servers.database_url, f"luna_documented_{uuid.uuid4().hex[:8]}") as own:
        upgrade(own)
        yield PreparedHome(own, tmp_path_factory.mktemp("documented"))


def fill_home(home: PreparedHome, luna: Luna) -> None:
    """Fill the home by a reader's commands, which work on it."""
    write_files(home.folder)
    for name in ("tariff.pdf", "manual.pdf", "grid-fees.pdf"):
        (home.folder / name).write_bytes(pdf())
    assert luna("site", "add", "--file", "my-site.yaml").code == 0
    remember(home.database_url)
    assert (
        luna(
            "data",
            "load",
            "prices.csv",
            "--site",
            "home",
            "--kind",
            "prices",
            "--unit",
            "spot_price=EUR/MWh",
        ).code
        == 0
    )
    days = {
        f"2026-11-{20 + number}": f"{today() + timedelta(days=1 + number):%Y-%m-%d}"
        for number in range(2)
    }
    plans = [
        luna("plan", "--site", "home", "--start", start, "--json").document["plan_id"]
        for start in ("2024-03-20 13:00", "2024-03-20 14:00")
    ]
    added = luna("docs", "add", "config/site.yaml", "--json").document["documents"][0][
        "document_id"
    ]
    home.names |= days | {"PLAN_ID": plans[-1], "DOCUMENT_ID": added}


@pytest.fixture
def typed(
    home: PreparedHome, luna: Luna, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[CommandLine], Said]]:
    """Runs a documented command in a folder that holds the files it names, beside a database of its
    own with the home.
    """
    monkeypatch.setenv("LUNA_REDIS_URL", redis_url)
    if not home.names:
        work_in(home.folder, home.database_url, monkeypatch)
        fill_home(home, luna)
    shutil.copytree(home.folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    with copied_database(home.database_url) as own:
        work_in(tmp_path, own, monkeypatch)
        yield lambda command: luna(*(replace(word, home.names) for word in command.words[1:]))


def work_in(folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands run in a folder, and use it and a database as theirs."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LUNA_DATA_FOLDER", str(folder))
    monkeypatch.setenv("LUNA_DATABASE_URL", database_url)


def replace(word: str, names: dict[str, str]) -> str:
    """Return a word of a command with what a reader would write in its place: a plan's id, days
    that are still to come.
    """
    for name, value in names.items():
        word = word.replace(name, value)
    return word


def write_files(folder: Path) -> None:
    """The files that the pages name, as they describe them."""
    for name in ("config", "examples"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "my-site.yaml").write_text(yaml.safe_dump(shorten_example()), encoding="utf-8")
    for name, sample in PEER_FILES.items():
        shutil.copy(PEERS / sample, folder / name)
    (folder / "secrets.yaml").write_text("solcast_api_key: none\n", encoding="utf-8")
    hours = [MARCH + timedelta(hours=hour) for hour in range(31 * 24)]
    lately = [today() + timedelta(hours=hour) for hour in range(-LATELY * 24, 24)]
    (folder / "replay.json").write_text(
        '{"site_id": "home", "from_day": "2024-03-18", "to_day": "2024-03-24"}', encoding="utf-8"
    )
    write_csv(
        folder / "readings.csv",
        ["instant", "sensor", "value", "unit"],
        [[each.isoformat(), "sensor.grid", "500", "W"] for each in hours[:48]],
    )
    write_csv(
        folder / "prices.csv",
        ["slot_start", "spot_price"],
        [[each.isoformat(), str(80 + each.hour)] for each in hours + lately],
    )
    local = [each + timedelta(hours=1) for each in hours[:48]]
    write_csv(
        folder / "meter.csv",
        ["Datum", "Uhrzeit", "Verbrauch [Wh]", "pv", "notiz"],
        [[f"{at:%d.%m.%Y}", f"{at:%H:%M}", "400", "0", ""] for at in local],
    )
    write_csv(
        folder / "export.csv",
        ["Zeit", "Verbrauch [kWh]"],
        [[each.isoformat(), f"0.{300 + each.hour}"] for each in hours[:72]],
    )
    heads = ["datetime (UTC)", "Carbon intensity gCO₂eq/kWh (Life cycle)"]
    write_csv(
        folder / "NL_2024_5_minute.csv",
        heads,
        [[f"{each:%Y-%m-%d %H:%M:%S}", "300"] for each in hours],
    )


def shorten_example() -> dict[str, Any]:
    """The documented site without what makes its plans take seconds."""
    site: dict[str, Any] = yaml.safe_load((ROOT / "config/site.yaml").read_text(encoding="utf-8"))
    for path in (
        ("loads",),
        ("heat_pumps",),
        ("strategy",),
        ("control", "loads"),
        ("tariff", "peak"),
    ):
        part = site
        for name in path[:-1]:
            part = part[name]
        del part[path[-1]]
    battery = site["batteries"][0]
    site["batteries"] = [
        {name: value for name, value in battery.items() if not name.startswith("taper")}
    ]
    return site


def write_csv(path: Path, heads: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([heads, *rows])


def remember(database_url: str) -> None:
    """What the site measured."""
    pool = engine.create(database_url)
    with engine.unit_of_work(pool) as connection:
        observations.upsert(connection, "home", measure_days(31, start=MARCH))
        observations.upsert(
            connection, "home", measure_days(LATELY, start=today() - timedelta(days=LATELY))
        )
    pool.dispose()


def today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def can_run(command: CommandLine) -> bool:
    return command.complete and not any(command.text.startswith(words) for words in LEFT_OUT)


def list_run(page: Page) -> list[CommandLine]:
    return [command for command in find_commands(page, "luna") if can_run(command)]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if list_run(page)], ids=lambda page: page.name
)
def test_what_a_page_says_to_type_ends_well(
    page: Page, typed: Callable[[CommandLine], Said]
) -> None:
    ends = [(command, typed(command)) for command in list_run(page)]
    assert [
        (command.place, command.text, said.err or said.out)
        for command, said in ends
        if said.code != 0
    ] == []


def test_what_is_not_run_is_still_documented() -> None:
    documented = [command.text for page in PAGES for command in find_commands(page, "luna")]
    named = (*NOT_RUN, *RUN_AT_LENGTH)
    assert [
        words for words in named if not any(text.startswith(words) for text in documented)
    ] == []
