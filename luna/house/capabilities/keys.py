"""Keys for programs: one's own, and for admins everybody's."""

from typing import Annotated

from pydantic import Field

from luna.contracts.identity import Key, KeyList, MadeKey, NewKey
from luna.energy.errors import ConflictError
from luna.energy.refusals import refuse
from luna.house.capability import CapabilityCall, ReplyTable, TerminalForm, capability
from luna.platform.database import api_keys
from luna.platform.paging import Cursor, Limit, read_number, write_cursor
from luna.words import Numbers

_NOUN = "identity"
_PATH = "/v1/keys"
Prefix = Annotated[
    str, Field(min_length=1, max_length=64, description="the key's second part, after luna_")
]
_HEADINGS = ("key", "for", "user", "scopes", "sites", "until")


def _show(key: Key, _: Numbers) -> list[str]:
    sites = "all of the user's" if key.sites is None else ", ".join(key.sites) or "none"
    return [
        key.prefix,
        key.name,
        key.user,
        ", ".join(key.scopes),
        sites,
        f"{key.expires_at:%Y-%m-%d}",
    ]


@capability(
    "GET",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="key list",
    shown=ReplyTable(_HEADINGS, _show, "keys", none="There are no keys."),
)
def list_keys(call: CapabilityCall, *, cursor: Cursor = None, limit: Limit = 100) -> KeyList:
    """List keys.

    Return the caller's keys, newest first, for an admin everybody's; never their secrets.
    """
    keys, following = api_keys.list_before(
        call.connection, _in_sight(call), before=read_number(cursor), limit=limit
    )
    return KeyList(keys=keys, cursor=None if following is None else write_cursor((following,)))


@capability(
    "POST",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="key add",
    shown="{key}\nIt is shown this once.",
    terminal=TerminalForm(arguments=("name",), options={"scopes": "scope", "sites": "site"}),
    status=201,
    errors=(ConflictError,),
    critical=True,
)
def create_key(call: CapabilityCall, key: NewKey) -> MadeKey:
    """Make a key.

    Make a key with at most the caller's permissions. Only this reply contains its secret.
    """
    if call.user_id is None:
        raise refuse("key-without-user", field="name")
    beyond = sorted(set(key.scopes) - call.scopes)
    if beyond:
        raise refuse(
            "key-beyond-maker",
            field="scopes",
            value=beyond[0],
            yours=", ".join(sorted(call.scopes)),
        )
    # A key that makes another must not hand on what it has not: its own sites, not its owner's.
    bounded = (
        key.sites
        if not call.by_key or call.sites is None
        else key.sites or tuple(sorted(call.sites))
    )
    if bounded is not None and "administer" in key.scopes:
        raise refuse("admin-has-every-site", field="sites")
    if bounded == ():
        raise refuse("key-without-sites", field="sites")
    return api_keys.make(
        call.connection, call.user_id, key.model_copy(update={"sites": bounded}), now=call.now
    )


@capability(
    "DELETE",
    f"{_PATH}/{{prefix}}",
    noun=_NOUN,
    scope="read",
    command="key remove",
    shown="The key {prefix} holds no more.",
    terminal=TerminalForm(arguments=("prefix",)),
    status=204,
    changes_access=True,
)
def delete_key(call: CapabilityCall, prefix: Prefix) -> None:
    """Remove a key.

    Remove one of the caller's keys for good; an admin can remove anybody's.
    """
    api_keys.remove(call.connection, prefix, _in_sight(call))


def _in_sight(call: CapabilityCall) -> api_keys.KeyFilter:
    """Return the keys that the asker may manage.

    An admin manages everybody's; anybody else their own, if those reach no site beyond the asker's.

    Nobody's number is that of no user.
    """
    return api_keys.KeyFilter(
        None if "administer" in call.scopes else call.user_id or -1, call.sites
    )


CAPABILITIES = (
    list_keys,
    create_key,
    delete_key,
)
