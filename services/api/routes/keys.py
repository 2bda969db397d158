"""Keys for programs: one's own, and for admins everybody's."""

from typing import Annotated

from fastapi import APIRouter, Path

from luna.contracts.identity import KeyList, MadeKey, NewKey
from luna.energy.errors import ConflictError, ForbiddenError, InvalidInputError
from luna.platform.database import api_keys
from luna.platform.paging import Cursor, Limit, read_number, write_cursor
from services.api.identity.caller import Caller, CurrentCaller
from services.api.identity.identity import CurrentIdentity
from services.api.json_body import CheckedRoute
from services.api.problems import document_errors

router = APIRouter(route_class=CheckedRoute, prefix="/v1/keys", tags=["identity"])


@router.get("", summary="List keys")
async def list_keys(identity: CurrentIdentity, caller: CurrentCaller, cursor: Cursor = None, limit: Limit = 100) -> KeyList:
    """Return one's own keys, for an admin everybody's, those made last first; never their secrets."""
    sight, before = keys_in_sight(caller), read_number(cursor)
    keys, following = await identity.write(lambda connection: api_keys.list_before(connection, sight, before=before, limit=limit))
    return KeyList(keys=keys, cursor=None if following is None else write_cursor((following,)))


@router.post("", status_code=201, responses=document_errors(ConflictError), summary="Make a key")
async def create_key(key: NewKey, identity: CurrentIdentity, caller: CurrentCaller) -> MadeKey:
    """Make a key that may no more than who makes it; its secret is in this answer and nowhere else."""
    user_id = caller.user_id
    if user_id is None:
        raise ConflictError("a key belongs to a user, and nobody is signed in", field="name", remedy="Set up the first user: POST /v1/auth/setup.")
    own = _within(caller, key)
    return await identity.write(lambda connection: api_keys.make(connection, user_id, own, now=identity.clock.now()))


@router.delete("/{prefix}", status_code=204, summary="Take a key away")
async def delete_key(prefix: Annotated[str, Path(min_length=1, max_length=64)], identity: CurrentIdentity, caller: CurrentCaller) -> None:
    """Take a key away, for good: one's own, for an admin anybody's."""
    await identity.write(lambda connection: api_keys.remove(connection, prefix, keys_in_sight(caller)))
    identity.forget_known()


def _within(caller: Caller, key: NewKey) -> NewKey:
    """Return the key with the sites of who makes it, where it names none and they do not have all."""
    beyond = sorted(set(key.scopes) - caller.scopes)
    if beyond:
        raise ForbiddenError("a key may no more than who makes it", field="scopes", value=beyond[0], remedy=f"Yours are {', '.join(sorted(caller.scopes))}.")
    # A key that makes another must not hand on what it has not: its own sites, not its owner's.
    bounded = key.sites if caller.means != "key" or caller.sites is None else key.sites or tuple(sorted(caller.sites))
    if bounded is not None and "administer" in key.scopes:
        raise InvalidInputError("who administers has every site", field="sites", remedy="Leave the sites or the scope administer out.")
    if bounded == ():
        raise ForbiddenError("this key has no site to hand on", field="sites", remedy="Sign in to make another key.")
    return key.model_copy(update={"sites": bounded})


def keys_in_sight(caller: Caller) -> api_keys.KeyFilter:
    """Return which keys the caller may look after: an admin everybody's, anybody else their own that reach no site beyond the caller's.

    Nobody's number is that of no user.
    """
    return api_keys.KeyFilter(None if "administer" in caller.scopes else caller.user_id or -1, caller.sites)
