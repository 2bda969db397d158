"""Routes of declared capabilities, derived from their declarations."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http import HTTPStatus
from inspect import Parameter, Signature
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Header, Query, Request, Response

from luna.contracts.message import Message
from luna.energy.errors import OutdatedError, UnconditionalError
from luna.house.capabilities.jobs import JobReply, read_job
from luna.house.capabilities.registry import CAPABILITIES
from luna.house.capability import Capability, locate
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
    for capability in capabilities:
        if capability.route.routed:
            register = router.operation(
                capability.title,
                describe_declared(capability),
                status_code=capability.status,
                response_model=JobReply if capability.as_job else capability.reply,
                responses=_document_responses(capability),
            )
            register(_build_handler(capability))
    return router


def _document_responses(capability: Capability) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses besides the reply."""
    responses: dict[int | str, dict[str, Any]] = {}
    if capability.route.tag:
        tag = {"description": capability.route.tag, "schema": {"type": "string"}}
        responses[capability.status] = {"headers": {"ETag": tag}}
        if capability.method == "GET":
            unchanged = {"description": "As it was, by If-None-Match"}
            responses[HTTPStatus.NOT_MODIFIED.value] = unchanged
    errors = list(capability.errors)
    for parameter in capability.parameters:
        if parameter.place == "header":
            errors.append(OutdatedError)
            if parameter.info.is_required():
                errors.append(UnconditionalError)
            break
    return responses | document_errors(*errors)


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
        request = await to_thread.run_sync(partial(do, gateway=gateway, **arguments))
        return await gateway.ask(request, status=capability.status)

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
        if _needs_version(capability) or if_match is not None:
            arguments[capability.route.changes] = read_version(request)
        result = do(**arguments)
        return _respond_with_tag(capability, request, result)

    handle: Callable[..., Any] = do
    if capability.route.tag:
        handle = do_tagged
    elif capability.status == HTTPStatus.ACCEPTED:
        handle = accept
    elif capability.asks is not None:
        handle = ask
    handle.__name__ = capability.name
    handle.__doc__ = capability.explanation
    # No attribute of functions.
    setattr(handle, "__signature__", Signature(list(_list_parameters(capability))))  # noqa: B010
    return handle


def _needs_version(capability: Capability) -> bool:
    headers = [parameter for parameter in capability.parameters if parameter.place == "header"]
    return any(parameter.info.is_required() for parameter in headers)


def _respond_with_tag(capability: Capability, request: Request, result: Any) -> Response:
    body = result.reply.model_dump_json(by_alias=True).encode()
    tag = f'"{result.version}"'
    if capability.method == "GET":
        return respond_tagged(request, body, tag)
    response = Response(body, status_code=capability.status, media_type="application/json")
    response.headers["ETag"] = tag
    if capability.route.location:
        response.headers["Location"] = locate(capability.route.location, result.reply)
    return response


def _list_parameters(capability: Capability) -> Iterator[Parameter]:
    for declared in capability.parameters:
        info = declared.info
        if declared.place == "header":
            header = Header(max_length=100, description=info.description)
            if_match = Annotated[str | None, header]
            yield Parameter("if_match", Parameter.KEYWORD_ONLY, default=None, annotation=if_match)
            continue
        default = info.default
        if declared.place == "path" or info.is_required():
            default = Parameter.empty
        hint: Any = declared.hint
        if declared.is_model and declared.place == "query":
            hint = Annotated[declared.hint, Query()]
        yield Parameter(declared.name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)
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
for _, _capabilities in groupby(CAPABILITIES, key=attrgetter("noun")):
    router.routes += route_declared(list(_capabilities)).routes
