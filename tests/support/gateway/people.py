"""A gateway with people: two sites, one person of each role who has the first of them, and ways to
ask in their name.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, text

from luna.contracts import PlanReply
from luna.contracts.identity import KeyScope, NewKey, NewUser, Role
from luna.contracts.variant import WhatIfRequest
from luna.energy.row_fault import RowFault
from luna.platform import passwords
from luna.platform.clock import SystemClock
from luna.platform.database import api_keys, engine, jobs, quarantine, sessions, users, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.api.identity.identity import csrf_token_of
from tests.support.database.databases import migrated_database
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.planning.plans import store_plan

OWN = "own home"
FOREIGN = "foreign home"
PASSWORD = "lantern orchard nine winters"
NAMES: dict[Role, str] = {"user": "uwe", "analyst": "ana", "admin": "ada"}
GENEROUS = {
    "requests_per_minute": 1_000_000,
    "sign_ins_per_minute": 100_000,
    "solves_per_minute": 1_000_000,
    "plan_timeout": timedelta(milliseconds=50),
}


@dataclass(frozen=True)
class Gate:
    """A gateway, its database, and a client without credentials."""

    client: httpx.Client
    database: Engine

    def session(self, role: Role, *, confirmed: bool = False) -> dict[str, str]:
        """Return the headers of a new browser session."""
        now = SystemClock().now()
        cookie = secrets.token_urlsafe(32)
        with unit_of_work(self.database) as connection:
            session_id = sessions.open_session(
                connection,
                self.user_id(role),
                token=cookie,
                address="test",
                now=now,
                ends=now + timedelta(days=1),
            )
            sessions.confirm(
                connection, session_id, until=now + timedelta(minutes=5 if confirmed else -5)
            )
        return {"Cookie": f"luna_session={cookie}", "X-CSRF-Token": csrf_token_of(cookie)}

    def key(
        self, role: Role, *scopes: KeyScope, sites: tuple[str, ...] | None = None, days: int = 1
    ) -> dict[str, str]:
        """Return the header of a new key."""
        with unit_of_work(self.database) as connection:
            wanted = NewKey(name="test", scopes=scopes or ("read",), sites=sites, days=days)
            made = api_keys.make(connection, self.user_id(role), wanted, now=SystemClock().now())
        return {"Authorization": f"Bearer {made.key}"}

    def tokens(self, role: Role) -> dict[str, Any]:
        """Return the tokens of a new sign-in."""
        answer = self.client.post(
            "/v1/auth/login", json={"name": NAMES[role], "password": PASSWORD, "form": "tokens"}
        )
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
        query = text(
            "SELECT user_name, means, site, status, address, request_id FROM audit_log "
            "WHERE operation = :operation ORDER BY entry_id DESC"
        )
        with unit_of_work(self.database) as connection:
            return list(connection.execute(query, {"operation": operation}).all())


@contextmanager
def empty_gate(server: str, redis_url: str, /, **settings: Any) -> Iterator[Gate]:
    """Run a gateway on a database of its own in which nobody is set up."""
    with migrated_database(server, "identity") as url:
        pool = engine.create(url)
        with serve(
            Addresses(database_url=url, redis_url=redis_url), headers={}, **(GENEROUS | settings)
        ) as client:
            yield Gate(client, pool)
        pool.dispose()


@contextmanager
def gate_with_people(server: str, redis_url: str, /, **settings: Any) -> Iterator[Gate]:
    """Run a gateway with the two sites and the three people.

    Each but the admin has the first site alone.
    """
    with empty_gate(server, redis_url, **settings) as gate:
        with unit_of_work(gate.database) as connection:
            for name in (OWN, FOREIGN):
                store_site(connection, name=name)
            for role, name in NAMES.items():
                users.add(
                    connection,
                    NewUser(name=name, password=SecretStr(PASSWORD), role=role, sites=(OWN,)),
                    passwords.hash_password(PASSWORD),
                )
        yield gate


@dataclass(frozen=True)
class Things:
    """What a site has that is asked for by an id of its own.

    ``job``, ``what_if`` and ``row`` (of the quarantine) are the ids.
    """

    plan: PlanReply
    job: str
    what_if: str
    row: int


def store_things(connection: Connection, site: str, *, name: str, start: datetime) -> Things:
    """Store a plan of one slot at ``start``, a question, a job and a quarantined row of a stored
    site; their ids end in ``name``.
    """
    flow = {
        "load_kwh": 0.1,
        "pv_kwh": 0,
        "curtailed_kwh": 0,
        "import_kwh": 0.1,
        "export_kwh": 0,
        "import_price": 0.25,
        "export_price": 0.07,
    }
    slot = {
        "start": start,
        "mode": "hold",
        **flow,
        "batteries": {},
        "reason": {"code": "hold", "text": "hold"},
    }
    cost = {"total": 0.025, "import": 0.025, "export": 0, "wear": 0}
    frame = {
        "site": site,
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "slot_minutes": 15,
        "issued_at": start,
        "status": "optimal",
        "gap": 0,
    }
    plan = PlanReply.model_validate(
        {"plan_id": f"plan-{name}", "cost": cost, "timing_ms": {}, "slots": [slot], **frame}
    )
    store_plan(connection, site, plan, inputs_digest=name)
    request = {"site_id": site, "from_day": "2024-01-01", "to_day": "2024-01-02"}
    question = WhatIfRequest.model_validate(
        request | {"variants": [{"name": "none", "site": {"batteries": {"battery": None}}}]}
    )
    what_ifs.ask(connection, f"question-{name}", question, now=start)
    job = jobs.accept(
        connection,
        task="planner.replay.run",
        key=name,
        request=json.dumps(request),
        trace_id="test",
    )
    quarantine.begin(connection)
    quarantine.add(connection, [(1, RowFault("far").text, "{}")])
    quarantine.finish(connection, site, kind="observations", source=name)
    row = connection.execute(text("SELECT max(quarantine_id) FROM quarantine")).scalar_one()
    return Things(plan, job.job_id, f"question-{name}", row)
