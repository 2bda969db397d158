"""Stores sign-in sessions, and refresh tokens of programs; tokens are stored as their SHA-256."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, literal, or_, select, update

from luna.platform.database.schema.identity import refresh_tokens, sessions, users
from luna.platform.database.users import UserAccount, account_of, sites_of_users

# Resolution of a session's last activity: each use would write a row otherwise.
ACTIVITY_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A valid session: its user, and the end of the last confirmation of the password."""

    session_id: int
    account: UserAccount
    confirmed_until: datetime | None


def open_session(
    connection: Connection,
    user_id: int,
    *,
    token: str | None,
    address: str,
    now: datetime,
    ends: datetime,
) -> int:
    """Store a session and return its id.

    A browser's has the ``token`` of its cookie.
    """
    row = {
        "user_id": user_id,
        "token_hash": None if token is None else digest(token),
        "seen_at": now,
        "expires_at": ends,
        "address": address,
    }
    return int(
        connection.scalars(insert(sessions).values(row).returning(sessions.c.session_id)).one()
    )


def find_by_token(
    connection: Connection, token: str, *, now: datetime, idle: timedelta
) -> OpenSession | None:
    """Return the session of a browser's cookie, None where there is none, or it has ended."""
    return _find(connection, sessions.c.token_hash == digest(token), now=now, idle=idle)


def find_by_id(
    connection: Connection, session_id: int, *, now: datetime, idle: timedelta
) -> OpenSession | None:
    """Return a program's session; None where there is none, or it has ended."""
    return _find(
        connection,
        (sessions.c.session_id == session_id) & sessions.c.token_hash.is_(None),
        now=now,
        idle=idle,
    )


def confirm(connection: Connection, session_id: int, *, until: datetime) -> None:
    """Record that the password is confirmed for critical operations until an instant."""
    connection.execute(
        update(sessions).where(sessions.c.session_id == session_id).values(confirmed_until=until)
    )


def end(connection: Connection, session_id: int) -> None:
    """End a session and its tokens."""
    connection.execute(delete(sessions).where(sessions.c.session_id == session_id))


def end_by_token(connection: Connection, token: str) -> None:
    """End the session of a browser's cookie, where there is one."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == digest(token)))


def give_refresh_token(
    connection: Connection, session_id: int, token: str, *, expires_at: datetime
) -> None:
    """Store a refresh token of a session."""
    connection.execute(
        insert(refresh_tokens).values(
            token_hash=digest(token), session_id=session_id, expires_at=expires_at
        )
    )


def use_refresh_token(connection: Connection, token: str, *, now: datetime) -> int | None:
    """Redeem a refresh token and return its session, None where it is invalid or has expired.

    A token that was redeemed before ends the session: two parties hold it, and the legitimate one
    cannot be told apart.
    """
    is_token = refresh_tokens.c.token_hash == digest(token)
    unused = is_token & refresh_tokens.c.used_at.is_(None) & (refresh_tokens.c.expires_at > now)
    used: int | None = connection.scalar(
        update(refresh_tokens)
        .where(unused)
        .values(used_at=now)
        .returning(refresh_tokens.c.session_id)
    )
    if used is None:
        reused = select(refresh_tokens.c.session_id).where(
            is_token, refresh_tokens.c.used_at.is_not(None)
        )
        connection.execute(delete(sessions).where(sessions.c.session_id.in_(reused)))
    return used


def forget_ended(connection: Connection, *, now: datetime, idle: timedelta) -> int:
    """Delete ended sessions and return how many."""
    return connection.execute(
        delete(sessions).where(or_(sessions.c.expires_at <= now, sessions.c.seen_at <= now - idle))
    ).rowcount


def digest(token: str) -> str:
    """Return the SHA-256 of a random token; its length makes a slow hash unnecessary."""
    return hashlib.sha256(token.encode()).hexdigest()


def _find(
    connection: Connection, which: ColumnElement[bool], *, now: datetime, idle: timedelta
) -> OpenSession | None:
    theirs = sites_of_users()
    query = (
        select(
            sessions.c.session_id,
            sessions.c.seen_at,
            sessions.c.confirmed_until,
            users.c.user_id,
            users.c.name.label("user_name"),
            users.c.role,
            theirs.c.names.label("site_names"),
        )
        .join(users, users.c.user_id == sessions.c.user_id)
        .outerjoin(theirs, theirs.c.user_id == users.c.user_id)
        .where(which, sessions.c.expires_at > now, sessions.c.seen_at > now - idle)
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    if now - row["seen_at"] > ACTIVITY_STEP:
        later = func.greatest(sessions.c.seen_at, literal(now))
        connection.execute(
            update(sessions).where(sessions.c.session_id == row["session_id"]).values(seen_at=later)
        )
    until = row["confirmed_until"]
    confirmed_until = None if until is None else until.astimezone(UTC)
    return OpenSession(row["session_id"], account_of(row), confirmed_until)
