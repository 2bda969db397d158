"""Routes of declared capabilities: of the declaration come address, parameters, description and answer."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http import HTTPStatus
from inspect import Parameter, Signature
from itertools import groupby
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Query, Response

from luna.contracts.message import Message
from luna.platform.capabilities import CAPABILITIES
from luna.platform.capabilities.jobs import JobReply
from luna.platform.capability import Capability
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.identity.caller import Signature as CallerSignature
from services.api.identity.identity import CurrentIdentity, Identity
from services.api.problems import document_errors
from services.api.routing import ResourceRouter


def route_declared(capabilities: Sequence[Capability]) -> ResourceRouter:
    """Return the routes of capabilities that are about one noun."""
    router = ResourceRouter(capabilities[0].noun)
    for each in capabilities:
        if not each.routed:
            continue
        reply = JobReply if each.as_job else each.reply
        router.operation(each.title, status_code=each.status, response_model=reply, responses=document_errors(*each.errors))(_build_handler(each))
    return router


def _build_handler(capability: Capability) -> Callable[..., Any]:
    """Return what answers a capability's route: the framework reads of its signature what is given, and checks it."""

    def do(*, gateway: Gateway, caller: Caller, identity: Identity, by: str = "", **given: Any) -> Any:
        reply = gateway.carry_out(capability, caller, by=by, **given)
        if capability.changes_access:
            identity.forget_known()
        return reply

    async def ask(*, gateway: Gateway, **given: Any) -> Response:
        return await gateway.ask(await to_thread.run_sync(partial(do, gateway=gateway, **given)), status=capability.status)

    def accept(*, gateway: Gateway, caller: Caller, response: Response, identity: Identity, by: str = "", **given: Any) -> Message:  # noqa: ARG001 - as of do
        accepted = gateway.accept(capability, caller, by=by, **given)
        response.headers["Location"] = capability.location.format(**dict(accepted))
        return accepted

    handle: Callable[..., Any] = accept if capability.status == HTTPStatus.ACCEPTED else do if capability.asks is None else ask
    handle.__name__, handle.__doc__ = capability.name, capability.explanation
    setattr(handle, "__signature__", Signature(list(_list_parameters(capability))))  # noqa: B010 - no attribute of functions
    return handle


def _list_parameters(capability: Capability) -> Iterator[Parameter]:
    for each in capability.given:
        default = Parameter.empty if each.place == "path" or each.info.is_required() else each.info.default
        hint = Annotated[each.hint, Query()] if each.is_model and each.place == "query" else each.hint
        yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)
    yield Parameter("gateway", Parameter.KEYWORD_ONLY, annotation=CurrentGateway)
    yield Parameter("caller", Parameter.KEYWORD_ONLY, annotation=CurrentCaller)
    yield Parameter("identity", Parameter.KEYWORD_ONLY, annotation=CurrentIdentity)
    if capability.status == HTTPStatus.ACCEPTED:
        yield Parameter("response", Parameter.KEYWORD_ONLY, annotation=Response)
    if capability.signable:
        yield Parameter("by", Parameter.KEYWORD_ONLY, annotation=CallerSignature)


# One for each noun, in the order in which the documentation shows them.
ROUTERS = tuple(route_declared(list(group)) for _, group in groupby(CAPABILITIES, key=lambda each: each.noun))
