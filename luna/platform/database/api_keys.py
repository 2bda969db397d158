"""Store keys that programs sign their requests with: ``luna_<prefix>_<secret>``.

Only the SHA-256 of a secret is stored.
"""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from luna.contracts.identity import ROLE_SCOPES, Key, KeyScope, MadeKey, NewKey
from luna.energy.refusals import refuse
from luna.platform.database.schema.identity import api_key_sites, api_keys, user_sites, users
from luna.platform.database.schema.sites import sites
from luna.platform.database.sessions import ACTIVITY_STEP, digest
from luna.platform.database.users import UserAccount, account_of, site_keys, sites_of_users

MARK = "luna"


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """The keys that somebody sees.

    Attributes:
        user_id: of their owner; None: of all.
        among: the sites that they may reach; None: every site.
    """

    user_id: int | None = None
    among: Collection[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of a query of keys and their owners."""
        conditions: list[ColumnElement[bool]] = []
        if self.user_id is not None:
            conditions.append(api_keys.c.user_id == self.user_id)
        if self.among is not None:
            conditions.append(~_reaches_beyond(self.among))
        return conditions


EVERY_KEY = KeyFilter()


@dataclass(frozen=True, slots=True)
class ValidKey:
    """A valid key: its owner with the sites that are left, and its scopes."""

    prefix: str
    account: UserAccount
    scopes: frozenset[KeyScope]


def make(connection: Connection, user_id: int, key: NewKey, *, now: datetime) -> MadeKey:
    """Store a new key and return it with its secret, this once.

    Raises:
        NotFoundError: no such site.
    """
    prefix = secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    row = {
        "prefix": prefix,
        "secret_hash": digest(secret),
        "user_id": user_id,
        "name": key.name,
        "scopes": sorted(set(key.scopes)),
        "every_site": key.sites is None,
        "expires_at": now + timedelta(days=key.days),
    }
    key_id = connection.scalars(insert(api_keys).values(row).returning(api_keys.c.key_id)).one()
    site_rows = site_keys(connection, key.sites or ())
    rows = [{"key_id": key_id, "site_key": site_key} for site_key in site_rows]
    if rows:
        connection.execute(insert(api_key_sites), rows)
    return MadeKey(**dict(load(connection, prefix)), key=f"{MARK}_{prefix}_{secret}")


def load(connection: Connection, prefix: str, which: KeyFilter = EVERY_KEY) -> Key:
    """Return a key, if it is one of these.

    Raises:
        NotFoundError: no such key.
    """
    query = _select().where(api_keys.c.prefix == prefix, *which.conditions())
    row = connection.execute(query).mappings().first()
    if row is None:
        raise refuse(
            "not-found", field="prefix", value=prefix, thing="key", source="the list: luna key list"
        )
    return _key(row)


def list_before(
    connection: Connection,
    which: KeyFilter = EVERY_KEY,
    *,
    before: int | None = None,
    limit: int = 100,
) -> tuple[list[Key], int | None]:
    """Return these keys, those made last first, and where the list goes on."""
    query = _select().where(*which.conditions()).order_by(api_keys.c.key_id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(api_keys.c.key_id < before)
    rows = connection.execute(query).mappings().all()
    following = rows[limit - 1]["key_id"] if len(rows) > limit else None
    return [_key(row) for row in rows[:limit]], following


def remove(connection: Connection, prefix: str, which: KeyFilter = EVERY_KEY) -> None:
    """Remove a key, if it is one of these.

    Raises:
        NotFoundError: no such key.
    """
    load(connection, prefix, which)
    connection.execute(delete(api_keys).where(api_keys.c.prefix == prefix))


def remove_all(connection: Connection, name: str) -> int:
    """Remove every key of a user, and return how many there were."""
    owner = select(users.c.user_id).where(users.c.name == name).scalar_subquery()
    return connection.execute(delete(api_keys).where(api_keys.c.user_id == owner)).rowcount


def find(connection: Connection, key: str, *, now: datetime) -> ValidKey | None:
    """Return a valid key, with no more rights than its owner has now; None if it is invalid."""
    mark, _, prefix_and_secret = key.partition("_")
    if mark != MARK:
        return None
    prefix, _, secret = prefix_and_secret.partition("_")
    user_sites = sites_of_users()
    key_sites = _sites_of_keys()
    query = (
        select(
            api_keys,
            users.c.name.label("user_name"),
            users.c.role,
            user_sites.c.names.label("site_names"),
            key_sites.c.names.label("key_sites"),
        )
        .join(users, users.c.user_id == api_keys.c.user_id)
        .outerjoin(user_sites, user_sites.c.user_id == users.c.user_id)
        .outerjoin(key_sites, key_sites.c.key_id == api_keys.c.key_id)
        .where(api_keys.c.prefix == prefix, api_keys.c.expires_at > now)
    )
    row = connection.execute(query).mappings().first()
    if row is None or not hmac.compare_digest(row["secret_hash"], digest(secret)):
        return None
    if row["used_at"] is None or now - row["used_at"] > ACTIVITY_STEP:
        connection.execute(
            update(api_keys).where(api_keys.c.key_id == row["key_id"]).values(used_at=now)
        )
    scopes = ROLE_SCOPES[row["role"]] & frozenset(row["scopes"])
    return ValidKey(prefix, _narrow(account_of(row), row), scopes)


def _reaches_beyond(among: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a key reaches a site that is not one of these.

    An admin's key that is bound to no site reaches future sites as well.
    """
    of_key = (
        select(api_key_sites.c.site_key)
        .where(api_key_sites.c.key_id == api_keys.c.key_id)
        .correlate(api_keys)
    )
    of_owner = (
        select(user_sites.c.site_key)
        .where(user_sites.c.user_id == users.c.user_id)
        .correlate(users)
    )
    is_admin = users.c.role == "admin"
    reaches_another = exists().where(
        sites.c.name.not_in(among),
        or_(api_keys.c.every_site, sites.c.site_key.in_(of_key)),
        or_(is_admin, sites.c.site_key.in_(of_owner)),
    )
    reaches_all = and_(api_keys.c.every_site, is_admin)
    return or_(reaches_all, reaches_another.correlate(api_keys, users))


def _narrow(owner: UserAccount, row: RowMapping) -> UserAccount:
    if row["every_site"]:
        return owner
    named = frozenset(row["key_sites"] or ())
    reached = named if owner.sites is None else named & owner.sites
    return UserAccount(owner.user_id, owner.name, owner.role, reached)


def _sites_of_keys() -> Any:
    named = func.array_agg(cast(sites.c.name, Text), type_=ARRAY(Text)).label("names")
    return (
        select(api_key_sites.c.key_id, named)
        .join(sites, sites.c.site_key == api_key_sites.c.site_key)
        .group_by(api_key_sites.c.key_id)
        .subquery()
    )


def _select() -> Select[Any]:
    key_sites = _sites_of_keys()
    return (
        select(api_keys, users.c.name.label("user_name"), key_sites.c.names.label("key_sites"))
        .join(users, users.c.user_id == api_keys.c.user_id)
        .outerjoin(key_sites, key_sites.c.key_id == api_keys.c.key_id)
    )


def _key(row: RowMapping) -> Key:
    return Key(
        prefix=row["prefix"],
        name=row["name"],
        user=row["user_name"],
        scopes=row["scopes"],
        sites=None if row["every_site"] else sorted(row["key_sites"] or ()),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
    )
