"""A gateway with people: two sites, one person of each role who has the first of them, and ways to ask in their name."""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine, text

from luna import passwords
from luna.contracts.identity import KeyScope, NewKey, NewUser, Role
from luna.database import api_keys, engine, sessions, users
from luna.database.engine import unit_of_work
from luna.database.migrate import upgrade
from luna.embedded import Addresses
from luna.timeline import SystemClock
from services.api.identity.identity import csrf_token_of
from tests.databases import own_database
from tests.gateway import serve
from tests.stored import store_site

OWN, FOREIGN = "own home", "foreign home"
PASSWORD = "lantern orchard nine winters"
NAMES: dict[Role, str] = {"user": "uwe", "analyst": "ana", "admin": "ada"}
GENEROUS = {"requests_per_minute": 1_000_000, "sign_ins_per_minute": 100_000, "solves_per_minute": 1_000_000, "plan_timeout": timedelta(milliseconds=50)}


@cache
def kept_password() -> str:
    """Return what is kept of PASSWORD; hashing it for each person would take longer than the tests."""
    return passwords.hash_password(PASSWORD)


@dataclass(frozen=True)
class Gate:
    """A gateway, its database, and a client without credentials."""

    client: httpx.Client
    database: Engine

    def session(self, role: Role, *, confirmed: bool = False) -> dict[str, str]:
        """Return the headers of a new browser session."""
        now, cookie = SystemClock().now(), secrets.token_urlsafe(32)
        with unit_of_work(self.database) as connection:
            session_id = sessions.open_session(connection, self.user_id(role), token=cookie, address="test", now=now, ends=now + timedelta(days=1))
            sessions.confirm(connection, session_id, until=now + timedelta(minutes=5 if confirmed else -5))
        return {"Cookie": f"luna_session={cookie}", "X-CSRF-Token": csrf_token_of(cookie)}

    def key(self, role: Role, *scopes: KeyScope, sites: tuple[str, ...] | None = None, days: int = 1) -> dict[str, str]:
        """Return the header of a new key."""
        with unit_of_work(self.database) as connection:
            wanted = NewKey(name="test", scopes=scopes or ("read",), sites=sites, days=days)
            made = api_keys.make(connection, self.user_id(role), wanted, now=SystemClock().now())
        return {"Authorization": f"Bearer {made.key}"}

    def tokens(self, role: Role) -> dict[str, Any]:
        """Return the tokens of a new sign-in."""
        answer = self.client.post("/v1/auth/login", json={"name": NAMES[role], "password": PASSWORD, "form": "tokens"})
        tokens: dict[str, Any] = answer.raise_for_status().json()["tokens"]
        return tokens

    def user_id(self, role: Role) -> int:
        """Return a person's number."""
        with unit_of_work(self.database) as connection:
            known = users.find_credentials(connection, NAMES[role])
        assert known is not None
        return known.user_id

    def audit(self, operation: str) -> list[Any]:
        """Return what the audit log holds of an operation, the latest first."""
        query = text("SELECT user_name, means, site, status, address, request_id FROM audit_log WHERE operation = :operation ORDER BY entry_id DESC")
        with unit_of_work(self.database) as connection:
            return list(connection.execute(query, {"operation": operation}).all())


@contextmanager
def empty_gate(server: str, redis_url: str, /, **settings: Any) -> Iterator[Gate]:
    """Run a gateway on a database of its own in which nobody is set up."""
    with own_database(server, f"luna_identity_{uuid.uuid4().hex[:8]}") as url:
        upgrade(url)
        pool = engine.create(url)
        with serve(Addresses(database_url=url, redis_url=redis_url), **(GENEROUS | settings)) as client:
            yield Gate(client, pool)
        pool.dispose()


@contextmanager
def gate_with_people(server: str, redis_url: str, /, **settings: Any) -> Iterator[Gate]:
    """Run a gateway with the two sites and the three people; each but the admin has the first site alone."""
    with empty_gate(server, redis_url, **settings) as gate:
        with unit_of_work(gate.database) as connection:
            for name in (OWN, FOREIGN):
                store_site(connection, name=name)
            for role, name in NAMES.items():
                users.add(connection, NewUser(name=name, password=SecretStr(PASSWORD), role=role, sites=(OWN,)), kept_password())
        yield gate
