"""Routes of declared capabilities: path, parameters, description and reply come from the
declaration.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http import HTTPStatus
from inspect import Parameter, Signature
from itertools import groupby
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Header, Query, Request, Response

from luna.contracts.message import Message
from luna.energy.errors import OutdatedError, UnconditionalError
from luna.platform.capabilities.jobs import JobReply, read_job
from luna.platform.capabilities.registry import CAPABILITIES
from luna.platform.capability import Capability, locate
from services.api.entity_tags import IfNoneMatch, read_version, respond_tagged
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.identity.caller import Signature as CallerSignature
from services.api.identity.identity import CurrentIdentity, Identity
from services.api.operation import describe_declared
from services.api.problems import document_errors
from services.api.routing import ResourceRouter


def route_declared(capabilities: Sequence[Capability]) -> ResourceRouter:
    """Return the routes of the capabilities of one noun."""
    router = ResourceRouter(capabilities[0].noun)
    for each in capabilities:
        if not each.route.routed:
            continue
        # OpenAPI responses besides the reply.
        answers: dict[int | str, dict[str, Any]] = {}
        if each.route.tag:
            answers[each.status] = {
                "headers": {"ETag": {"description": each.route.tag, "schema": {"type": "string"}}}
            }
            if each.method == "GET":
                answers[HTTPStatus.NOT_MODIFIED.value] = {
                    "description": "As it was, by If-None-Match"
                }
        version = next(
            (parameter for parameter in each.parameters if parameter.place == "header"), None
        )
        refused = (
            ()
            if version is None
            else (OutdatedError, UnconditionalError)
            if version.info.is_required()
            else (OutdatedError,)
        )
        answers |= document_errors(*each.errors, *refused)
        reply = JobReply if each.as_job else each.reply
        router.operation(
            each.title,
            describe_declared(each),
            status_code=each.status,
            response_model=reply,
            responses=answers,
        )(_build_handler(each))
    return router


def _build_handler(capability: Capability) -> Callable[..., Any]:
    """Return the handler of a capability's route.

    FastAPI reads and validates parameters by the signature that is set on it.
    """

    def do(
        *, gateway: Gateway, caller: Caller, identity: Identity, by: str = "", **arguments: Any
    ) -> Any:
        reply = gateway.carry_out(capability, caller, by=by, **arguments)
        if capability.changes_access:
            identity.forget_callers()
        return reply

    async def ask(*, gateway: Gateway, **arguments: Any) -> Response:
        return await gateway.ask(
            await to_thread.run_sync(partial(do, gateway=gateway, **arguments)),
            status=capability.status,
        )

    def accept(
        *,
        gateway: Gateway,
        caller: Caller,
        response: Response,
        identity: Identity,  # noqa: ARG001
        by: str = "",
        **arguments: Any,
    ) -> Message:
        accepted = gateway.accept(capability, caller, by=by, **arguments)
        response.headers["Location"] = locate(capability.route.location or read_job.path, accepted)
        return accepted

    def do_tagged(
        *,
        request: Request,
        if_match: str | None = None,
        if_none_match: str | None = None,  # noqa: ARG001
        **arguments: Any,
    ) -> Response:
        needed = any(
            each.place == "header" and each.info.is_required() for each in capability.parameters
        )
        if needed or if_match is not None:
            arguments[capability.route.changes] = read_version(request)
        result = do(**arguments)
        body = result.reply.model_dump_json(by_alias=True).encode()
        tag = f'"{result.version}"'
        if capability.method == "GET":
            return respond_tagged(request, body, tag)
        headers = {"ETag": tag} | (
            {"Location": locate(capability.route.location, result.reply)}
            if capability.route.location
            else {}
        )
        return Response(
            body, status_code=capability.status, headers=headers, media_type="application/json"
        )

    if capability.route.tag:
        handle: Callable[..., Any] = do_tagged
    else:
        handle = (
            accept
            if capability.status == HTTPStatus.ACCEPTED
            else do
            if capability.asks is None
            else ask
        )
    handle.__name__ = capability.name
    handle.__doc__ = capability.explanation
    setattr(handle, "__signature__", Signature(list(_list_parameters(capability))))  # noqa: B010 - no attribute of functions
    return handle


def _list_parameters(capability: Capability) -> Iterator[Parameter]:
    for each in capability.parameters:
        if each.place == "header":
            if_match = Annotated[
                str | None, Header(max_length=100, description=each.info.description)
            ]
            yield Parameter("if_match", Parameter.KEYWORD_ONLY, default=None, annotation=if_match)
            continue
        default = (
            Parameter.empty
            if each.place == "path" or each.info.is_required()
            else each.info.default
        )
        hint = (
            Annotated[each.hint, Query()] if each.is_model and each.place == "query" else each.hint
        )
        yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)
    yield Parameter("gateway", Parameter.KEYWORD_ONLY, annotation=CurrentGateway)
    yield Parameter("caller", Parameter.KEYWORD_ONLY, annotation=CurrentCaller)
    yield Parameter("identity", Parameter.KEYWORD_ONLY, annotation=CurrentIdentity)
    if capability.status == HTTPStatus.ACCEPTED:
        yield Parameter("response", Parameter.KEYWORD_ONLY, annotation=Response)
    if capability.route.tag:
        yield Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)
        if capability.method == "GET":
            yield Parameter(
                "if_none_match", Parameter.KEYWORD_ONLY, default=None, annotation=IfNoneMatch
            )
    if capability.signable:
        yield Parameter("by", Parameter.KEYWORD_ONLY, annotation=CallerSignature)


# In the order of CAPABILITIES, which the documentation follows.
router = ResourceRouter()
router.routes = [
    route
    for _, group in groupby(CAPABILITIES, key=lambda each: each.noun)
    for route in route_declared(list(group)).routes
]
