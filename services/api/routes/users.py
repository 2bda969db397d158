"""The people who may sign in; for admins."""

from typing import Annotated

from fastapi import APIRouter, Path

from luna.contracts.identity import NewUser, User, UserChange, UserList
from luna.energy.errors import ConflictError
from luna.platform import passwords
from luna.platform.database import users
from luna.platform.paging import Cursor, Limit, cut_page, read_text
from services.api.identity.identity import CurrentIdentity
from services.api.json_body import CheckedRoute
from services.api.problems import document_errors

router = APIRouter(route_class=CheckedRoute, prefix="/v1/users", tags=["identity"])

UserPath = Annotated[str, Path(min_length=1, max_length=64, description="the user's name")]


@router.get("", summary="List users")
async def list_users(identity: CurrentIdentity, cursor: Cursor = None, limit: Limit = 100) -> UserList:
    """Return people in order of their names."""
    after = read_text(cursor) or ""
    found = await identity.write(lambda connection: users.list_after(connection, after=after, limit=limit + 1))
    page, following = cut_page(found, limit=limit, key=lambda user: (user.name,))
    return UserList(users=page, cursor=following)


@router.post("", status_code=201, responses=document_errors(ConflictError), summary="Add a user")
async def create_user(user: NewUser, identity: CurrentIdentity) -> User:
    """Add a person who may sign in."""
    passwords.require_good(user.password.get_secret_value(), name=user.name)
    kept = await identity.hash_password(user.password.get_secret_value())
    made = await identity.write(lambda connection: users.add(connection, user, kept))
    identity.forget_known()
    return made


@router.patch("/{name}", responses=document_errors(ConflictError), summary="Change a user's role, sites or password")
async def change_user(name: UserPath, change: UserChange, identity: CurrentIdentity) -> User:
    """Change what is given; a new password ends every sign-in of this person. 409 where nobody would be left who may administer."""
    kept = None
    if change.password is not None:
        passwords.require_good(change.password.get_secret_value(), name=name)
        kept = await identity.hash_password(change.password.get_secret_value())
    changed = await identity.write(lambda connection: users.change(connection, name, role=change.role, sites=change.sites, password_hash=kept))
    identity.forget_known()
    return changed


@router.delete("/{name}", status_code=204, responses=document_errors(ConflictError), summary="Remove a user")
async def delete_user(name: UserPath, identity: CurrentIdentity) -> None:
    """Remove a person with their sign-ins and keys; what they did stays in the audit log. 409 where nobody would be left who may administer."""
    await identity.write(lambda connection: users.remove(connection, name))
    identity.forget_known()
