"""The people who may sign in; for admins."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from luna import passwords
from luna.contracts.identity import NewUser, User, UserChange, UserList
from luna.database import users
from luna.errors import ConflictError
from services.api.identity.identity import CurrentIdentity
from services.api.json_body import CheckedRoute
from services.api.problems import document_errors

router = APIRouter(route_class=CheckedRoute, prefix="/v1/users", tags=["identity"])

UserPath = Annotated[str, Path(min_length=1, max_length=64, description="the user's name")]


@router.get("", summary="List users")
async def list_users(
    identity: CurrentIdentity,
    cursor: Annotated[str, Query(max_length=64, description="where the list before ended")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> UserList:
    """Return people in order of their names."""
    found = await identity.write(lambda connection: users.list_after(connection, after=cursor, limit=limit + 1))
    return UserList(users=found[:limit], cursor=found[limit - 1].name if len(found) > limit else None)


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
