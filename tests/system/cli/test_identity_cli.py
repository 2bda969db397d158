"""People, keys and the audit log from a terminal."""

from pathlib import Path

import pytest

from luna.platform.embedded.supervisor import Servers
from tests.support.command_line.call import Luna
from tests.support.database.databases import own_database

PASSWORD = "lantern orchard nine winters"


@pytest.fixture
def luna_alone(
    luna: Luna, monkeypatch: pytest.MonkeyPatch, servers: Servers, worker_id: str
) -> object:
    """The command line on a database in which nobody is set up."""
    with own_database(servers.database_url, f"luna_{worker_id}_people") as url:
        monkeypatch.setenv("LUNA_DATABASE_URL", url)
        yield luna


def test_people_and_keys_come_and_go(luna_alone: Luna, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n", encoding="utf-8")
    given = ("--password-file", str(file))
    assert luna_alone("user", "list").out.startswith("Nobody is set up")
    assert luna_alone("user", "add", "ada", *given).out == "ada may sign in as admin.\n"
    assert luna_alone("user", "add", "uwe", *given, "--json").document["role"] == "user"
    assert (
        luna_alone("user", "change", "uwe", "--role", "analyst", "--json").document["role"]
        == "analyst"
    )
    assert luna_alone("user", "password", "uwe", *given).code == 0
    made = luna_alone(
        "key", "add", "nightly", "--user", "uwe", "--scope", "read", "--scope", "data", "--json"
    ).document
    assert (made["key"].startswith(f"luna_{made['prefix']}_"), made["scopes"]) == (
        True,
        ["data", "read"],
    )
    assert made["key"].split("_", 2)[2] not in luna_alone("key", "list", "--json").out
    assert [luna_alone("key", "remove", made["prefix"]).code for _ in range(2)] == [0, 2]
    assert [luna_alone("user", "remove", name).code for name in ("uwe", "uwe", "ada")] == [0, 2, 1]
    assert luna_alone("audit", "list", "--json").document == {"entries": [], "cursor": None}


def test_a_password_that_is_tried_first_is_refused(luna_alone: Luna, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("password1234", encoding="utf-8")
    refused = luna_alone("user", "add", "ada", "--password-file", str(file))
    assert (refused.code, "password1234" in refused.err) == (2, False)
