"""Stores user accounts: passwords, roles, and the sites that each user may access."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    Subquery,
    Text,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.dialects.postgresql import insert as insert_or

from luna.contracts.identity import NewUser, Role, User
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.platform.database import recommendations
from luna.platform.database.schema.identity import sessions, user_sites, users
from luna.platform.database.schema.sites import sites


@dataclass(frozen=True, slots=True)
class UserAccount:
    """The user behind a request: id, name, role, and accessible sites; None: all."""

    user_id: int
    name: str
    role: Role
    sites: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with the stored hash of the password."""

    user_id: int
    name: str
    password_hash: str


def any_there(connection: Connection) -> bool:
    """Return whether there is any user."""
    return bool(connection.scalar(select(select(users.c.user_id).exists())))


def add_first(connection: Connection, user: NewUser, password_hash: str) -> User:
    """Store the first user, an admin.

    Raises:
        ConflictError: there is a user already; of concurrent calls one succeeds.
    """
    connection.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))
    if any_there(connection):
        raise refuse("set-up-already", field="name")
    return add(connection, user.model_copy(update={"role": "admin"}), password_hash)


def add(connection: Connection, user: NewUser, password_hash: str) -> User:
    """Store a user.

    Raises:
        ConflictError: the name is taken.
        NotFoundError: no such site.
    """
    row = {"name": user.name, "password_hash": password_hash, "role": user.role}
    user_id = connection.scalar(
        insert_or(users).values(row).on_conflict_do_nothing().returning(users.c.user_id)
    )
    if user_id is None:
        raise refuse("name-taken", field="name", value=user.name)
    _give_sites(connection, user_id, user.sites)
    return load(connection, user.name)


def change(
    connection: Connection,
    name: str,
    *,
    role: Role | None = None,
    sites: Iterable[str] | None = None,
    password_hash: str | None = None,
) -> User:
    """Change the given fields of a user.

    A new password ends all of the user's sessions.

    Raises:
        NotFoundError: no such user or site.
        ConflictError: no admin would be left.
    """
    with_admin = _hold_admins(connection)
    user_id = _find(connection, name)
    new: dict[str, str] = {}
    if role is not None:
        new["role"] = role
    if password_hash is not None:
        new["password_hash"] = password_hash
    if new:
        connection.execute(update(users).where(users.c.user_id == user_id).values(new))
    if sites is not None:
        connection.execute(delete(user_sites).where(user_sites.c.user_id == user_id))
        _give_sites(connection, user_id, sites)
    if password_hash is not None:
        connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
    _require_admin(connection, before=with_admin)
    return load(connection, name)


def remove(connection: Connection, name: str) -> None:
    """Remove a user with sessions, keys and recommendations.

    The entries in the audit log stay.

    Raises:
        NotFoundError: no such user.
        ConflictError: no admin would be left.
    """
    with_admin = _hold_admins(connection)
    recommendations.forget_reader(connection, name)
    connection.execute(delete(users).where(users.c.user_id == _find(connection, name)))
    _require_admin(connection, before=with_admin)


def load(connection: Connection, name: str) -> User:
    """Return a user.

    Raises:
        NotFoundError: no such user.
    """
    row = connection.execute(_select_users().where(users.c.name == name)).mappings().first()
    if row is None:
        raise _unknown(name)
    return _user(row)


def list_after(connection: Connection, *, after: str = "", limit: int = 100) -> list[User]:
    """Return the next users by name, after the name ``after``."""
    query = _select_users().where(users.c.name > after).order_by(users.c.name).limit(limit)
    return [_user(row) for row in connection.execute(query).mappings()]


def find_credentials(connection: Connection, name: str) -> Credentials | None:
    """Return a user's credentials; None where there is no such user."""
    row = connection.execute(
        select(users.c.user_id, users.c.name, users.c.password_hash).where(users.c.name == name)
    ).first()
    return None if row is None else Credentials(row.user_id, row.name, row.password_hash)


def rehash(connection: Connection, checked: Credentials, password_hash: str) -> Credentials:
    """Store the same password with another hash, unless it was changed meanwhile.

    Return the current credentials.
    """
    unchanged = (users.c.user_id == checked.user_id) & (
        users.c.password_hash == checked.password_hash
    )
    changed_rows = connection.execute(
        update(users).where(unchanged).values(password_hash=password_hash)
    ).rowcount
    return replace(checked, password_hash=password_hash) if changed_rows else checked


def require_unchanged(connection: Connection, checked: Credentials) -> None:
    """Lock a user with the checked password until the transaction ends.

    Raises:
        UnauthenticatedError: the password was changed since, or the user removed.
    """
    query = (
        select(users.c.password_hash)
        .where(users.c.user_id == checked.user_id)
        .with_for_update(read=True)
    )
    if connection.scalar(query) != checked.password_hash:
        raise refuse("password-just-changed", field="password")


def note_sign_in(connection: Connection, user_id: int, *, now: datetime) -> None:
    """Record the time of a user's sign-in."""
    connection.execute(update(users).where(users.c.user_id == user_id).values(signed_in_at=now))


def sites_of_users() -> Subquery:
    """Return a query of site names by ``user_id``, without users that have none."""
    named = func.array_agg(cast(sites.c.name, Text), type_=ARRAY(Text)).label("names")
    return (
        select(user_sites.c.user_id, named)
        .join(sites, sites.c.site_key == user_sites.c.site_key)
        .group_by(user_sites.c.user_id)
        .subquery()
    )


def account_of(row: RowMapping) -> UserAccount:
    """Return the account of a row with ``user_id``, ``user_name``, ``role`` and ``site_names``."""
    return UserAccount(
        row["user_id"],
        row["user_name"],
        row["role"],
        None if row["role"] == "admin" else frozenset(row["site_names"] or ()),
    )


def site_keys(connection: Connection, names: Iterable[str]) -> list[int]:
    """Return the numeric keys of sites.

    Raises:
        NotFoundError: a site does not exist; names the first one.
    """
    unique = list(dict.fromkeys(names))
    query = select(sites.c.name, sites.c.site_key).where(sites.c.name.in_(unique))
    keys = {row.name: row.site_key for row in connection.execute(query)}
    unknown_name = next((name for name in unique if name not in keys), None)
    if unknown_name is not None:
        raise refuse(
            "no-site-of-asker",
            field="sites",
            value=unknown_name,
            remedy="List the sites: luna site list.",
        )
    return [keys[name] for name in unique]


def _give_sites(connection: Connection, user_id: int, names: Iterable[str]) -> None:
    rows = [{"user_id": user_id, "site_key": key} for key in site_keys(connection, names)]
    if rows:
        connection.execute(insert(user_sites), rows)


def _hold_admins(connection: Connection) -> bool:
    """Lock the users against changes until the end of the transaction.

    Return whether there is an admin.
    """
    connection.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))
    return _has_admin(connection)


def _has_admin(connection: Connection) -> bool:
    return bool(
        connection.scalar(select(select(users.c.user_id).where(users.c.role == "admin").exists()))
    )


def _require_admin(connection: Connection, *, before: bool) -> None:
    if before and not _has_admin(connection):
        raise refuse("last-admin", field="role")


def _find(connection: Connection, name: str) -> int:
    user_id = connection.scalar(select(users.c.user_id).where(users.c.name == name))
    if user_id is None:
        raise _unknown(name)
    return int(user_id)


def _unknown(name: str) -> LunaError:
    return refuse(
        "not-found", field="name", value=name, thing="user", source="the list: luna user list"
    )


def _select_users() -> Select[Any]:
    theirs = sites_of_users()
    return select(
        users.c.name,
        users.c.role,
        users.c.created_at,
        users.c.signed_in_at,
        func.coalesce(theirs.c.names, cast(array([]), ARRAY(Text))).label("sites"),
    ).outerjoin(theirs, theirs.c.user_id == users.c.user_id)


def _user(row: RowMapping) -> User:
    return User.model_validate(
        dict(row) | {"sites": () if row["role"] == "admin" else tuple(sorted(row["sites"]))}
    )
