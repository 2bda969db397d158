"""The people who may sign in."""

from typing import Annotated

from pydantic import Field

from luna.contracts.identity import NewUser, User, UserChange, UserList
from luna.energy.errors import ConflictError
from luna.house.capability import CapabilityCall, ReplyTable, TerminalForm, capability
from luna.platform import passwords
from luna.platform.database import api_keys, users
from luna.platform.paging import Cursor, Limit, cut_page, read_text
from luna.words import Numbers

_NOUN = "identity"
_PATH = "/v1/users"
UserName = Annotated[str, Field(min_length=1, max_length=64, description="the user's name")]
_HEADINGS = ("user", "role", "sites")
_OPTIONS = {"sites": "site"}


def _show(user: User, _: Numbers) -> list[str]:
    return [
        user.name,
        user.role,
        ", ".join(user.sites) or ("every site" if user.role == "admin" else "none"),
    ]


_NOBODY = "Nobody is set up; from this machine itself everything is allowed."
_USERS = ReplyTable(_HEADINGS, _show, "users", words=("role", "sites"), none=_NOBODY)


@capability("GET", _PATH, noun=_NOUN, scope="administer", command="user list", shown=_USERS)
def list_users(call: CapabilityCall, *, cursor: Cursor = None, limit: Limit = 100) -> UserList:
    """List users.

    Return users by name.
    """
    rows = users.list_after(call.connection, after=read_text(cursor) or "", limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda user: (user.name,))
    return UserList(users=page, cursor=following)


@capability(
    "POST",
    _PATH,
    noun=_NOUN,
    scope="administer",
    command="user add",
    shown="{name} may sign in as {role}.",
    terminal=TerminalForm(arguments=("name",), options=_OPTIONS),
    status=201,
    errors=(ConflictError,),
    critical=True,
    changes_access=True,
)
def create_user(call: CapabilityCall, user: NewUser) -> User:
    """Add a user.

    Add a user who may sign in. The first one is an admin; from then on everybody has to sign in.
    """
    password = user.password.get_secret_value()
    passwords.require_good(password, name=user.name)
    add = users.add if users.any_there(call.connection) else users.add_first
    return add(call.connection, user, passwords.hash_password(password))


@capability(
    "PATCH",
    f"{_PATH}/{{name}}",
    noun=_NOUN,
    scope="administer",
    command="user change",
    also=("user password",),
    shown=ReplyTable(_HEADINGS, _show, words=("role", "sites")),
    terminal=TerminalForm(arguments=("name",), options=_OPTIONS),
    errors=(ConflictError,),
    critical=True,
    changes_access=True,
)
def change_user(call: CapabilityCall, name: UserName, change: UserChange) -> User:
    """Change a user's role, sites or password.

    Change the given fields; a new password ends the user's sign-ins, and with revoke_keys the keys.
    409 if nobody would be left to administer.
    """
    password_hash = None
    if change.password is not None:
        password = change.password.get_secret_value()
        passwords.require_good(password, name=name)
        password_hash = passwords.hash_password(password)
    changed = users.change(
        call.connection, name, role=change.role, sites=change.sites, password_hash=password_hash
    )
    if change.revoke_keys:
        api_keys.remove_all(call.connection, name)
    return changed


@capability(
    "DELETE",
    f"{_PATH}/{{name}}",
    noun=_NOUN,
    scope="administer",
    command="user remove",
    shown="{name} may not sign in any more.",
    terminal=TerminalForm(arguments=("name",)),
    status=204,
    errors=(ConflictError,),
    critical=True,
    changes_access=True,
)
def delete_user(call: CapabilityCall, name: UserName) -> None:
    """Remove a user.

    Remove a user with sign-ins and keys; the audit log stays. 409 if nobody would be left to
    administer.
    """
    users.remove(call.connection, name)


CAPABILITIES = (
    list_users,
    create_user,
    change_user,
    delete_user,
)
