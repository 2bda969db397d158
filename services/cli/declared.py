"""Commands of declared capabilities: arguments, options, help and output come from the declaration.

They run here or on a remote gateway.
"""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from importlib import import_module
from inspect import Parameter, Signature
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeGuard, get_args, get_origin
from zoneinfo import ZoneInfo

import typer
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from luna.contracts.message import Message
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.site import invalid_input
from luna.energy.timeline import site_clock
from luna.house.capabilities.sites import read_site
from luna.house.capability import Capability, CapabilityParameter, ReplyTable, TextTable
from luna.house.desk.desk import Desk, OwnDesk, RemoteDesk
from luna.words import Numbers
from services.cli.command_target import find_server
from services.cli.console import JsonOption, emit, follow_progress, table, write_text

UTC_ZONE = ZoneInfo("UTC")
_YesOption = Annotated[bool, typer.Option("--yes", help="Confirm: this cannot be undone.")]


def open_desk(*, quiet: bool = False, user: str | None = None) -> OwnDesk | RemoteDesk:
    """Open the desk that carries out commands: of the named gateway, else of this machine.

    Args:
        quiet: show no progress.
        user: act in this user's name on this machine.
    """
    server = find_server()
    follow = partial(follow_progress, quiet=quiet)
    if server is None:
        return OwnDesk(follow, user=user)
    return RemoteDesk(server.url, server.key, follow=follow, ask_password=_ask_password)


def _ask_password() -> str | None:
    """Prompt for the user's password; None without a terminal."""
    if not sys.stdin.isatty():
        return None
    return str(typer.prompt("Your password on that server", hide_input=True, err=True))


def build_group(
    name: str,
    summary: str,
    *,
    by_hand: Collection[str] = (),
    among: Iterable[Capability] | None = None,
) -> typer.Typer:
    """Build a group of commands from the capabilities declared in it.

    Args:
        name: the group's.
        summary: its help.
        by_hand: declared commands to leave out, since they are written by hand.
        among: capabilities with all of its commands; None: all there are.
    """
    if among is None:
        # Every module of capabilities: a command that needs one module gives ``among``.
        from luna.house.capabilities.registry import CAPABILITIES

        among = CAPABILITIES
    app = typer.Typer(help=summary, no_args_is_help=True)
    for capability in among:
        group, _, verb = (capability.command or "").rpartition(" ")
        if group == name and verb not in by_hand:
            app.command(verb, help=_write_help(capability))(_build_command(capability))
    return app


def add_declared(app: typer.Typer, name: str, summary: str) -> None:
    """Add a declared command, or a declared group of commands.

    The commands of a group are all in the module of capabilities that has its name.
    """
    module = import_module(f"luna.house.capabilities.{name}")
    declared: tuple[Capability, ...] = module.CAPABILITIES
    for capability in declared:
        if capability.command == name:
            app.command(name, help=_write_help(capability))(_build_command(capability))
            return
    app.add_typer(build_group(name, summary, among=declared), name=name)


def _write_help(capability: Capability) -> str:
    # A terminal does not render Markdown's code marks.
    return f"{capability.title}.\n\n{capability.explanation}".replace("`", "")


def _build_command(capability: Capability) -> Callable[..., None]:
    fields: list[tuple[str, FieldInfo]] = []
    for parameter in capability.parameters:
        if parameter.is_model:
            fields += _list_fields(parameter.kind)
        else:
            fields.append((parameter.name, parameter.info))
    assigned = capability.terminal.assigned
    options = [_describe(name, info, capability) for name, info in fields if name not in assigned]
    secrets = [(name, info) for name, info in fields if _read_type(info.annotation) is Path]

    def command(*, as_json: bool = False, yes: bool = True, **values: Any) -> None:
        if not yes:
            raise InvalidInputError(
                capability.terminal.sure,
                field="--yes",
                value=values.get("site_id"),
                remedy="Add --yes to confirm.",
            )
        texts = dict(values)
        for name, info in secrets:
            texts[name] = read_secret(name, values[name], needed=info.is_required())
        with open_desk(quiet=as_json) as desk:
            read_zone = cache(partial(_read_zone, desk, texts.get("site_id")))
            reply = desk.ask(capability, compose_arguments(capability, texts, read_zone))
            # Only tables show instants; the audit log outlives its site, hence the suppressed
            # error.
            zone = UTC_ZONE
            if not as_json and not isinstance(capability.shown, str):
                with suppress(NotFoundError):
                    zone = read_zone()
        if reply is None:
            document = {"removed": texts[capability.parameters[-1].name]}
        else:
            document = reply.model_dump(mode="json", by_alias=True)
        emit(document, as_json=as_json, show=partial(show_reply, capability, reply, texts, zone))
        if capability.terminal.failed(reply):
            raise typer.Exit(1)

    if capability.terminal.sure:
        yes_flag = Parameter("yes", Parameter.KEYWORD_ONLY, default=False, annotation=_YesOption)
        options.append(yes_flag)
    json_flag = Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption)
    options.append(json_flag)
    setattr(command, "__signature__", Signature(options))  # noqa: B010 - no attribute of functions
    return command


def compose_arguments(
    capability: Capability, texts: Mapping[str, Any], read_zone: Callable[[], ZoneInfo]
) -> dict[str, Any]:
    """Parse the texts of options into a capability's arguments by name.

    They are validated as by the gateway; local times are in the site's time zone.

    Raises:
        InvalidInputError: names the option, its value and the remedy.
    """
    with site_clock(read_zone if texts.get("site_id") else None):
        arguments = {
            parameter.name: _compose(parameter, capability, texts)
            for parameter in capability.parameters
        }
    return {name: value for name, value in arguments.items() if value is not None}


def _read_zone(desk: Desk, site: str | None) -> ZoneInfo:
    return UTC_ZONE if site is None else ZoneInfo(desk.ask(read_site, {"site_id": site}).timezone)


def emit_reply(
    capability: Capability,
    reply: Message,
    *,
    as_json: bool,
    zone: ZoneInfo = UTC_ZONE,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write a reply as JSON or in its declared form, for commands written by hand."""
    emit(
        reply.model_dump(mode="json", by_alias=True),
        as_json=as_json,
        show=partial(show_reply, capability, reply, arguments, zone),
    )


def show_reply(
    capability: Capability, reply: Message | None, arguments: Mapping[str, Any], zone: ZoneInfo
) -> None:
    """Print a reply in its declared form."""
    form = capability.shown
    numbers = Numbers(arguments.get("language") or "en", zone, "EUR")
    if isinstance(form, str):
        show_parts([form.format(**{**arguments, **dict(reply or ())})])
    elif isinstance(form, ReplyTable):
        entries = getattr(reply, form.rows) if form.rows else [reply]
        table(
            form.headings,
            [form.row(entry, numbers) for entry in entries],
            words=list(form.headings if form.words is None else form.words),
            none=form.none.format(**arguments),
        )
    else:
        show_parts(form(reply, numbers))


def read_secret(name: str, file: Path | None, *, needed: bool = True) -> str | None:
    """Read a secret from a file, else prompt for it; None if it is missing and not ``needed``."""
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    if not needed:
        return None
    meaning = "Password (12 characters and more)" if name == "password" else name.capitalize()
    return str(typer.prompt(meaning, hide_input=True, confirmation_prompt=True, err=True))


def show_parts(parts: Iterable[str | TextTable]) -> None:
    """Print lines and tables."""
    for part in parts:
        if isinstance(part, str):
            write_text(part)
        else:
            table(part.headings, part.rows, words=part.words, title=part.title or None)


def _list_fields(kind: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the fields of a message, with nested messages flattened."""
    for name, info in kind.model_fields.items():
        if _is_message(info.annotation):
            yield from _list_fields(info.annotation)
        else:
            yield name, info


def _is_message(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _describe(name: str, info: FieldInfo, capability: Capability) -> Parameter:
    terminal = capability.terminal
    needed = info.is_required() and name != terminal.usually_now
    shape = _read_type(info.annotation)
    words = _write_field_help(name, info, capability)
    if name in terminal.arguments:
        id_or_name = "ID" if name.endswith("_id") else name.upper()
        option: Any = typer.Argument(help=words, metavar=id_or_name, show_default=False)
    elif shape is Path:
        return _describe_secret(name, capability, needed=needed)
    else:
        spelled = _spell_option(info.alias or name, capability)
        pair = "NAME=VALUE" if _is_mapping(info.annotation) else None
        option = typer.Option(spelled, help=words, metavar=pair, show_default=False)
    if needed:
        return Parameter(name, Parameter.KEYWORD_ONLY, annotation=Annotated[shape, option])
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    if isinstance(default, list | tuple | dict):
        # An option cannot show a list as its default: None leaves the field's default.
        default = None
    if shape is not bool:
        shape = shape | None
    return Parameter(
        name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[shape, option]
    )


def _write_field_help(name: str, info: FieldInfo, capability: Capability) -> str:
    meaning = info.description or ""
    addition = ""
    if _read_type(info.annotation) == list[str]:
        addition = "; may be repeated"
    elif name == capability.terminal.usually_now:
        addition = " (default: now)"
    return f"{meaning[:1].upper()}{meaning[1:]}{addition}."


def _describe_secret(name: str, capability: Capability, *, needed: bool) -> Parameter:
    option_name = name_option(name, capability)
    usual = "ask for it" if needed else "it stays"
    file: Any = typer.Option(
        f"--{option_name}-file",
        help=f"A file with the {option_name}; usual: {usual}.",
        show_default=False,
        exists=True,
        dir_okay=False,
    )
    annotation = Annotated[Path | None, file]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def name_option(name: str, capability: Capability) -> str:
    """Return the option of a field without dashes; the suffix ``_id`` is dropped."""
    return _spell_option(name, capability).removeprefix("--").partition("/")[0]


def _spell_option(name: str, capability: Capability) -> str:
    """Return the option of a field; a flag may have a negative name after a slash."""
    plain = name.removesuffix("_")
    spelled = capability.terminal.options.get(plain, plain.removesuffix("_id"))
    return "--" + spelled.replace("_", "-")


def _read_type(kind: Any) -> Any:
    """Return the type of an option: choice, number, flag, repeated option, or file of a secret.

    Others are text, validated later.
    """
    plain = kind
    if get_origin(kind) is not Literal:
        # Of an optional type, the type itself.
        parts = [part for part in get_args(kind) if part is not type(None)]
        if len(parts) == 1:
            plain = parts[0]
    while hasattr(plain, "__metadata__"):
        plain = get_args(plain)[0]
    if plain is SecretStr:
        return Path
    if get_origin(plain) is tuple or _is_mapping(plain):
        return list[str]
    if plain in (bool, int, float) or get_origin(plain) is Literal:
        return plain
    return str


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) in (dict, Mapping)


def parse_pairs(texts: Iterable[str] | None, *, field: str, remedy: str) -> dict[str, str]:
    """Parse NAME=VALUE texts.

    Raises:
        InvalidInputError: a text has another form.
    """
    pairs = {}
    for text in texts or []:
        name, _, value = text.partition("=")
        if not name or not value:
            raise InvalidInputError(
                "a name and a value are needed", field=field, value=text, remedy=remedy
            )
        pairs[name] = value
    return pairs


def _read_fields(
    kind: type[BaseModel], capability: Capability, texts: Mapping[str, Any]
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, info in kind.model_fields.items():
        if _is_message(info.annotation):
            inner = _read_fields(info.annotation, capability, texts)
            if inner:
                fields[name] = inner
        elif texts.get(name) is not None:
            fields[name] = texts[name]
            if _is_mapping(info.annotation):
                option = f"--{name_option(name, capability)}"
                remedy = f"Write it as {option} NAME=VALUE."
                fields[name] = parse_pairs(texts[name], field=option, remedy=remedy)
    return fields


def _compose(
    parameter: CapabilityParameter, capability: Capability, texts: Mapping[str, Any]
) -> Any:
    try:
        if not parameter.is_model:
            value = texts.get(parameter.name)
            return None if value is None else TypeAdapter(parameter.hint).validate_python(value)
        fields = _read_fields(parameter.kind, capability, texts)
        if capability.terminal.usually_now is not None:
            fields.setdefault(capability.terminal.usually_now, datetime.now(UTC))
        return parameter.kind.model_validate(fields, by_name=True)
    except ValidationError as exc:
        field = "" if parameter.is_model else parameter.info.alias or parameter.name
        error = invalid_input(exc, field=field)
        if error.field and error.field not in capability.terminal.arguments:
            error.field = f"--{name_option(error.field.rpartition('.')[2], capability)}"
        raise error from exc
