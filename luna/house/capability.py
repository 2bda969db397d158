"""Declare capabilities: functions with their route, command and display.

The parameters form the request, the return value is the reply.

The gateway generates a route from a declaration, and the command line a command, which can call a
remote gateway. A capability that needs a worker returns the worker's request, which is sent or
accepted as a job; its reply is the capability's.

The first line of the function's docstring is the title, the rest the explanation; a parameter's
``Field`` gives its bounds and description.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from inspect import Parameter, getdoc, signature
from pathlib import Path
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    Self,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from sqlalchemy import Connection, Engine

from luna.contracts.identity import KeyScope, Scope
from luna.contracts.message import Request
from luna.energy.errors import LunaError
from luna.energy.part import StrictModel
from luna.energy.refusals import refuse
from luna.platform.database.engine import after_commit, unit_of_work
from luna.platform.settings import load_settings
from luna.words import Numbers

if TYPE_CHECKING:
    from luna.platform.objects import ObjectStore
    from luna.platform.queue import Client

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
ReplyT = TypeVar("ReplyT", bound=StrictModel)
SiteName = Annotated[str, Field(min_length=1, max_length=64, description="the site's name")]


@dataclass(kw_only=True)
class CapabilityCall:
    """The context of a call: caller, instant and resources.

    Writes over its connection are committed together at the end.

    Attributes:
        by: the name recorded with changes.
        database: returns the database's engine.
        queue: returns a client of the queue.
        objects: returns the object store.
        data_folder: returns the folder of the owner's files.
        name: the caller's name; None: local access to this machine's files, with the rights to
            everything.
        sites: the caller's sites; None: all.
        scopes: what the caller may do on them.
        user_id: the caller's id; None: no user account.
        by_key: whether an API key calls, which cannot grant more sites than its own.
    """

    by: str
    now: datetime
    database: Callable[[], Engine]
    queue: "Callable[[], Client]"
    objects: "Callable[[], ObjectStore]"
    data_folder: Callable[[], Path] = lambda: load_settings().data_folder
    name: str | None = None
    sites: Collection[str] | None = None
    scopes: frozenset[KeyScope] = frozenset()
    user_id: int | None = None
    by_key: bool = False
    _unit: ExitStack = field(default_factory=ExitStack)
    _afterwards: list[Callable[[], object]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unit.__exit__(kind, error, trace)
        if kind is None:
            for step in self._afterwards:
                after_commit(self.database(), step)

    def after_commit(self, step: Callable[[], object]) -> None:
        """Run ``step`` after the commit of the connection's writes, and only then."""
        self._afterwards.append(step)

    @cached_property
    def connection(self) -> Connection:
        """The connection of this call, opened at its first use."""
        return self._unit.enter_context(unit_of_work(self.database()))

    def author(self, named: str | None) -> str:
        """Return the name to record with a change: the caller's.

        Before there are accounts also the one that is named.

        Raises:
            InvalidInputError: somebody with an account names somebody else.
        """
        if named is None or named == self.by:
            return self.by
        if self.user_id is not None:
            raise refuse("author-is-caller", field="by", value=named, name=self.by)
        return named

    @property
    def own_sites(self) -> tuple[str, ...] | None:
        """The caller's sites, sorted, as in requests; None: all."""
        return None if self.sites is None else tuple(sorted(self.sites))


@dataclass(frozen=True, slots=True)
class Tagged(Generic[ReplyT]):
    """A reply with its version, for conditional requests and for changes of a known version.

    Attributes:
        version: a number, or the name of an immutable resource.
    """

    reply: ReplyT
    version: int | str


@dataclass(frozen=True, slots=True)
class ReplyTable:
    """A reply as a table in a terminal.

    Attributes:
        row: the cells of one row, in the site's time zone and the field's units.
        rows: the reply's field with the rows; empty: the reply is the only row.
        words: headings of left-aligned columns; None: all.
        none: the message without rows, with the names of the arguments.
    """

    headings: Sequence[str]
    row: Callable[[Any, Numbers], Sequence[str]]
    rows: str = ""
    words: Collection[str] | None = None
    none: str = ""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table among other output of a terminal.

    Attributes:
        words: headings of left-aligned columns.
        title: above the table; empty: none.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[str] = ()
    title: str = ""


ReplyParts = Callable[[Any, Numbers], Iterable[str | TextTable]]


@dataclass(frozen=True, slots=True)
class CapabilityParameter:
    """A parameter of a capability: name, type, and place in a request.

    The header carries the version that is changed.

    Attributes:
        hint: the declared annotation: type, meaning and bounds.
        info: the same with the default.
    """

    name: str
    hint: Any
    info: FieldInfo
    place: Literal["path", "query", "body", "header"]

    @property
    def kind(self) -> Any:
        """The type alone; a message is the request's body."""
        return self.info.annotation

    @property
    def is_model(self) -> bool:
        """Whether its fields are separate options of a command, or separate query parameters."""
        return _is_of(self.kind, BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalForm:
    """The differences of a capability's command from its parameters.

    Attributes:
        options: names of options that differ from their fields', by field.
        arguments: fields that are positional arguments.
        assigned: fields of the body that Luna sets itself.
        usually_now: the field of the body whose default is the current instant.
        sure: what the command destroys; it then requires a confirmation.
        failed: returns whether the command exits with 1 although there is a reply.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    arguments: Collection[str] = ()
    assigned: frozenset[str] = frozenset()
    usually_now: str | None = None
    sure: str = ""
    failed: Callable[[Any], bool] = lambda _: False


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteForm:
    """The parts of a capability's route beside method, path and status.

    Attributes:
        routed: whether the route is generated; one whose response is more than the reply is written
            by hand.
        location: path of the created resource, with the reply's fields in braces; empty: the job's.
        tag: describes the version of a ``Tagged`` reply.
        changes: the parameter with the version that the caller has read; required where it has no
            default.
        aliases: short paths of the same form.
    """

    routed: bool = True
    location: str = ""
    tag: str = ""
    changes: str = ""
    aliases: tuple[str, ...] = ()


CapabilityFunction = Callable[..., StrictModel | Tagged[Any] | None]
Shown = ReplyTable | str | ReplyParts
_USUAL_TERMINAL = TerminalForm()
_USUAL_ROUTE = RouteForm()


@dataclass(frozen=True, kw_only=True)
class Capability:
    """An operation of Luna, declared once for route, command and tool: see ``capability``."""

    function: CapabilityFunction
    method: Method
    path: str
    noun: str
    scope: Scope
    command: str | None
    also: tuple[str, ...]
    local_command: str | None
    alone: str | None
    shown: Shown
    terminal: TerminalForm
    status: int
    route: RouteForm
    errors: Sequence[type[LunaError]]
    critical: bool
    solves: bool
    changes_access: bool
    signable: bool
    for_assistants: bool

    def __call__(self, call: CapabilityCall, **arguments: Any) -> Any:
        """Return the reply to these arguments."""
        return self.function(call, **arguments)

    @property
    def name(self) -> str:
        """Its stable name in the API's description."""
        return self.function.__name__

    @property
    def title(self) -> str:
        """The first paragraph of the function's docstring, without its full stop."""
        paragraph = (getdoc(self.function) or "").partition("\n\n")[0]
        return paragraph.replace("\n", " ").removesuffix(".")

    @property
    def explanation(self) -> str:
        """The rest of the function's docstring."""
        return (getdoc(self.function) or "").partition("\n\n")[2]

    @cached_property
    def asks(self) -> type[Request] | None:
        """The request that a worker executes; None: executed in the caller's process."""
        returned = get_type_hints(self.function)["return"]
        return returned if _is_of(returned, Request) else None

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that call it, on the local or a remote Luna."""
        return self.also if self.command is None else (self.command, *self.also)

    @property
    def is_tool(self) -> bool:
        """Whether assistants get it as a tool: it reads data of one site, without a worker."""
        if not self.for_assistants or self.asks is not None:
            return False
        reads = self.method == "GET" and self.scope == "read"
        return reads and "{site_id}" in self.path

    @property
    def as_job(self) -> bool:
        """Whether the request to a worker is accepted as a job."""
        return self.asks is not None and self.status == HTTPStatus.ACCEPTED

    @cached_property
    def reply(self) -> type[StrictModel] | None:
        """The reply's model, for a job that of its result; None: no body."""
        reply = get_type_hints(self.function)["return"] if self.asks is None else self.asks.reply
        if get_origin(reply) is Tagged:
            reply = get_args(reply)[0]
        return reply if _is_of(reply, StrictModel) else None

    @cached_property
    def parameters(self) -> tuple[CapabilityParameter, ...]:
        """Return the parameters except the call."""
        hints = get_type_hints(self.function, include_extras=True)
        parameters = []
        for parameter in list(signature(self.function).parameters.values())[1:]:
            hint = hints[parameter.name]
            if parameter.default is Parameter.empty:
                info = FieldInfo.from_annotation(hint)
            else:
                info = FieldInfo.from_annotated_attribute(hint, parameter.default)
            place: Literal["path", "query", "body", "header"] = "query"
            if parameter.name == self.route.changes:
                place = "header"
            elif _is_of(info.annotation, StrictModel):
                place = "body"
            elif f"{{{parameter.name}}}" in self.path:
                place = "path"
            parameters.append(CapabilityParameter(parameter.name, hint, info, place))
        return tuple(parameters)

    @cached_property
    def request(self) -> type[BaseModel]:
        """The parameters as one model by their names in a request; it refuses unknown fields."""
        fields: dict[str, Any] = {}
        for parameter in self.parameters:
            info = parameter.info
            fields[parameter.name] = (parameter.hint, info if info.is_required() else info.default)
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
        return create_model(self.name, __config__=config, **fields)


def locate(path: str, reply: BaseModel) -> str:
    """Fill the names in a path with a reply's fields."""
    values = {name: quote(str(value)) for name, value in reply if f"{{{name}}}" in path}
    return path.format(**values)


def _is_of(kind: Any, base: type[BaseModel]) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)


def capability(  # noqa: PLR0913 - a declaration: a value a line, by its name
    method: Method,
    path: str,
    *,
    noun: str,
    scope: Scope,
    command: str | None = None,
    also: tuple[str, ...] = (),
    local_command: str | None = None,
    alone: str | None = None,
    shown: Shown = "",
    terminal: TerminalForm = _USUAL_TERMINAL,
    status: int = 200,
    route: RouteForm = _USUAL_ROUTE,
    errors: Sequence[type[LunaError]] = (),
    critical: bool = False,
    solves: bool = False,
    changes_access: bool = False,
    signable: bool = False,
    for_assistants: bool = True,
) -> Callable[[CapabilityFunction], Capability]:
    """Return a decorator that declares a function as a capability.

    The function does the work, or returns the request to a worker that does. Its first parameter is
    the ``CapabilityCall``.

    Args:
        method: of its route.
        path: of its route, with parameters in braces.
        noun: its group in the documentation.
        scope: the permission that a caller needs.
        command: the generated ``luna`` command; None: none.
        also: hand-written commands that call it as well.
        local_command: a hand-written command that does the same on Luna's own machine alone.
        alone: the reason why there is no command.
        shown: the reply in a terminal: a table, a sentence with arguments and reply in braces, or a
            function that returns lines and tables.
        terminal: differences of its command from its parameters.
        status: HTTP status of success; 202: the gateway accepts a job and returns its address,
            while a command waits for the job's reply.
        route: further parts of its route.
        errors: beyond those that every operation may raise.
        critical: every caller has to confirm with the password.
        solves: a worker computes for long, so it has a rate limit of its own.
        changes_access: it changes who may log in, or their permissions.
        signable: the caller may name the person who asks; before there are accounts, any name.
        for_assistants: it may be a tool for assistants, see ``Capability.is_tool``.
    """

    def declare(function: CapabilityFunction) -> Capability:
        return Capability(
            function=function,
            method=method,
            path=path,
            noun=noun,
            scope=scope,
            command=command,
            also=also,
            local_command=local_command,
            alone=alone,
            shown=shown,
            terminal=terminal,
            status=status,
            route=route,
            errors=errors,
            critical=critical,
            solves=solves,
            changes_access=changes_access,
            signable=signable,
            for_assistants=for_assistants,
        )

    return declare
