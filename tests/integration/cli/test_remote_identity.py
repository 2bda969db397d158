"""`luna --server`: people and keys of a Luna elsewhere.

What is critical asks for the password again, at a terminal alone.
"""

import getpass
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from luna.contracts.identity import Role
from luna.platform.embedded.supervisor import Servers
from tests.support.command_line.call import Luna
from tests.support.gateway.people import OWN, PASSWORD, Gate, gate_with_people

NEW_PASSWORD = "harbour copper thistle rain"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def gate(servers: Servers) -> Iterator[Gate]:
    with gate_with_people(servers.database_url, "redis://127.0.0.1:9/0") as gate:
        yield gate


@pytest.fixture
def laptop(luna: Luna, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Luna:
    """Commands of a machine that has no Luna of its own, in the name of the admin."""
    monkeypatch.setenv("LUNA_DATABASE_URL", "postgresql://luna@127.0.0.1:9/none")
    use_key(monkeypatch, gate, "admin")
    return lambda *words: luna("--server", str(gate.client.base_url), *words)


def use_key(monkeypatch: pytest.MonkeyPatch, gate: Gate, role: Role) -> None:
    """Sign what is asked from now on with a new key that may all that a role may."""
    scopes = ("read", "operate", "administer") if role == "admin" else ("read", "operate")
    monkeypatch.setenv("LUNA_KEY", gate.key(role, *scopes)["Authorization"].removeprefix("Bearer "))


def sit_down(monkeypatch: pytest.MonkeyPatch, typed: str = PASSWORD) -> None:
    """Let somebody be at the terminal who types this where a password is asked for."""
    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda *_, **__: typed)


@pytest.fixture
def password_file(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "password").write_text(f"{NEW_PASSWORD}\n", encoding="utf-8")
    return "--password-file", str(tmp_path / "password")


def test_a_person_comes_changes_and_goes_elsewhere(
    laptop: Luna, gate: Gate, monkeypatch: pytest.MonkeyPatch, password_file: tuple[str, str]
) -> None:
    sit_down(monkeypatch)
    added = laptop("user", "add", "tom", "--site", OWN, *password_file)
    assert (added.code, added.out) == (0, "tom may sign in as user.\n"), added.err
    signed_in = gate.client.post(
        "/v1/auth/login", json={"name": "tom", "password": NEW_PASSWORD, "form": "tokens"}
    )
    assert signed_in.status_code == 200
    assert [
        piece
        for piece in ("ada", "every site", "tom", "user", OWN)
        if piece not in laptop("user", "list").out
    ] == []
    changed = laptop("user", "change", "tom", "--role", "analyst", "--json").document
    # What was not given stays.
    assert (changed["role"], changed["sites"]) == ("analyst", [OWN])
    assert (
        laptop("user", "password", "tom", *password_file).out
        == "tom has a new password; all sign-ins have ended.\n"
    )
    ended = {"Authorization": f"Bearer {signed_in.json()['tokens']['access_token']}"}
    assert gate.client.get("/v1/auth/me", headers=ended).status_code == 401
    assert laptop("user", "remove", "tom", "--json").document == {"removed": "tom"}
    again = laptop("user", "remove", "tom")
    assert (again.code, again.problem["field"], again.problem["value"]) == (2, "name", "tom")


def test_a_key_is_made_by_whose_it_is_and_taken_away_elsewhere(
    laptop: Luna, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_key(monkeypatch, gate, "user")
    sit_down(monkeypatch)
    made = laptop(
        "key", "add", "nightly", "--scope", "read", "--site", OWN, "--days", "7", "--json"
    ).document
    assert (made["user"], made["scopes"], made["sites"]) == ("uwe", ["read"], [OWN])
    assert (
        gate.client.get(
            "/v1/auth/me", headers={"Authorization": f"Bearer {made['key']}"}
        ).status_code
        == 200
    )
    listed = laptop("key", "list")
    assert ("nightly" in listed.out, made["key"] in listed.out) == (True, False)
    assert (
        laptop("key", "remove", made["prefix"]).out == f"The key {made['prefix']} holds no more.\n"
    )
    assert (
        gate.client.get(
            "/v1/auth/me", headers={"Authorization": f"Bearer {made['key']}"}
        ).status_code
        == 401
    )
    beyond = laptop("key", "add", "more", "--scope", "administer")
    anothers = laptop("key", "add", "more", "--user", "ada")
    assert [(said.code, said.problem["field"]) for said in (beyond, anothers)] == [
        (2, "scopes"),
        (2, "--user"),
    ]


def test_what_is_critical_takes_the_password_and_shows_it_to_nobody(
    laptop: Luna, gate: Gate, monkeypatch: pytest.MonkeyPatch, password_file: tuple[str, str]
) -> None:
    add = ("user", "add", "tim", *password_file)
    unattended = laptop(*add)
    sit_down(monkeypatch, "not the password at all")
    wrong = laptop(*add)
    assert [said.problem["status"] for said in (unattended, wrong)] == [403, 401]
    assert "terminal" in unattended.problem["remedy"]
    assert not [
        said
        for said in (unattended, wrong)
        if NEW_PASSWORD in said.err or "not the password" in said.err
    ]
    assert "tim" not in laptop("user", "list").out
    assert [entry.status for entry in gate.audit("create_user")[:2]] == [401, 403]


def test_what_is_for_admins_is_refused_to_others(
    laptop: Luna, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_key(monkeypatch, gate, "user")
    said = [
        laptop(*words) for words in (("user", "list"), ("user", "remove", "ada"), ("audit", "list"))
    ]
    assert [each.problem["status"] for each in said] == [403, 403, 403]
