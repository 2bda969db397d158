"""Routes of declared capabilities: of the declaration come address, parameters, description and answer."""

from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter, Signature
from itertools import groupby
from typing import Any

from luna.contracts.message import Message
from luna.platform.capabilities import CAPABILITIES
from luna.platform.capability import Capability, CapabilityCall
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.identity.caller import Signature as CallerSignature
from services.api.problems import document_errors
from services.api.routing import ResourceRouter


def route_declared(capabilities: Sequence[Capability]) -> ResourceRouter:
    """Return the routes of capabilities that are about one noun."""
    router = ResourceRouter(capabilities[0].noun)
    for each in capabilities:
        router.operation(each.title, status_code=each.status, responses=document_errors(*each.errors))(_build_handler(each))
    return router


def _build_handler(capability: Capability) -> Callable[..., Message]:
    """Return what answers a capability's route: the framework reads of its signature what is given, and checks it."""

    def handle(*, gateway: Gateway, caller: Caller, by: str = "", **given: Any) -> Message:
        with unit_of_work(gateway.database) as connection:
            return capability.function(CapabilityCall(connection, by or caller.signature, gateway.clock.now(), caller.sites), **given)

    handle.__name__, handle.__doc__ = capability.name, capability.explanation
    setattr(handle, "__signature__", Signature(list(_list_parameters(capability)), return_annotation=capability.reply))  # noqa: B010 - no attribute of functions
    return handle


def _list_parameters(capability: Capability) -> Iterator[Parameter]:
    for each in capability.given:
        default = Parameter.empty if each.place == "path" or each.info.is_required() else each.info.default
        yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=each.hint)
    yield Parameter("gateway", Parameter.KEYWORD_ONLY, annotation=CurrentGateway)
    yield Parameter("caller", Parameter.KEYWORD_ONLY, annotation=CurrentCaller)
    if capability.signable:
        yield Parameter("by", Parameter.KEYWORD_ONLY, annotation=CallerSignature)


# One for each noun, in the order in which the documentation shows them.
ROUTERS = tuple(route_declared(list(group)) for _, group in groupby(CAPABILITIES, key=lambda each: each.noun))
