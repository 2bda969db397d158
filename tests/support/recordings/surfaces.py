"""What Luna shows to the outside, collected from the code: the one place where recordings know modules and names within Luna.

Whoever moves or renames something follows here with an import; what is collected stays the same.
"""

import gzip
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, redirect_stdout, suppress
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module
from io import StringIO
from itertools import product
from math import nan
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Literal, get_args, get_origin

from httpx import Response
from prometheus_client import REGISTRY
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, SetColumnComment, SetTableComment
from typer.main import get_command

import luna
import services
from luna.contracts.plan import PlanRequest
from luna.energy.errors import LunaError
from luna.energy.site import Site
from luna.platform.clock import FixedClock
from luna.platform.database import engine, migrate
from luna.platform.database.episodes import EpisodeStep
from luna.platform.database.schema import metadata
from luna.platform.database.training_runs import TrainingRun
from luna.platform.embedded.supervisor import Addresses
from luna.platform.objects import FileObjects
from luna.platform.queue.services import SERVICES, load_services
from luna.platform.queue.task import definitions
from luna.platform.settings import Settings, example
from luna.platform.settings.model import Deployment
from luna.platform.spool.kind import EpisodeKind
from luna.platform.spool.spool import open_mirror
from luna.words import alternatives, compromises, differences, modes, notes, numbers, reason_wordings
from luna.words.catalogue import CATALOGUE, ITSELF
from luna.words.catalogue.fluent_message import Part
from luna.words.language import language_forms
from luna.words.phrases import Phrases
from services.api.app import create_app
from services.cli.console import err, out
from services.cli.main import COMMANDS, build
from services.forecaster.model.artefact import save_aurora
from services.forecaster.model.aurora import train
from services.forecaster.model.card import save_card
from services.forecaster.retraining.card import Card
from services.ingest.reading import Reading
from services.ingest.recorder import ReadingKind
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request
from tests.support.gateway.server import serve
from tests.support.household.measurements import QUICK, day, describe_site, measure_days
from tests.support.recordings.comparison import find_differences
from tests.support.recordings.shapes import describe_shape, list_fields
from tests.support.recordings.sources import list_log_events, list_sentences

Document = dict[str, Any]
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
# Run as ``python -m``; each takes ``--help``.
PROGRAMS = ("luna.platform.queue.worker", "luna.platform.queue.beat", "services.ingest.live", "services.executor.__main__")
ASKED = (
    ("GET", "/nothing", ""),
    ("PUT", "/plan", ""),
    ("POST", "/plan", "{"),
    ("POST", "/plan", "{}"),
    ("POST", "/plan", '{"site_id": "home", "wish": 1}'),
    ("POST", "/plan", '{"site_id": "home", "slot_minutes": 7}'),
    ("POST", "/plan", '{"site_id": "home"}'),
    ("GET", "/data/query", ""),
    ("GET", "/data/query?site=home&series=load_kwh&from=yesterday", ""),
    ("GET", "/v1/jobs?status=asleep", ""),
    ("POST", "/data/load", "no form"),
)
CONSOLES = (out, err)
# What is another at each run, and what depends on the machine's speed.
_PASSING = ("timing_ms", "issued_at")


def openapi() -> Document:
    """Return the gateway's description of its routes and messages."""
    return create_app(Settings()).openapi()


def answers() -> Document:
    """Return what the gateway answers to wrong requests, and to a right one while queue and database are away."""
    nowhere = Addresses("postgresql://luna@127.0.0.1:9/none", "redis://127.0.0.1:9/0")
    headers = {"X-Trace-Id": "outward-trace", "Content-Type": "application/json"}
    with serve(nowhere) as client:
        return {f"{method} {path} {body}".strip(): _read_answer(client.request(method, path, content=body, headers=headers)) for method, path, body in ASKED}


def _read_answer(answer: Response) -> Document:
    headers = {name: value for name, value in answer.headers.items() if name not in ("content-length", "date", "server")}
    return {"status": answer.status_code, "headers": headers, "body": answer.json()}


def plan(document: Document) -> Document:
    """Return the reply to a plan request in English, and what is other in German."""
    english, german = (_reply(document, language) for language in ("en", "de"))
    return {"en": english, "other_in_de": find_differences(english, german)}


def _reply(document: Document, language: str) -> Document:
    options = document.get("options", {}) | {"language": language}
    request = PlanRequest.model_validate(document | {"options": options})
    reply = plan_request(request, now=NOON, solver=Solver())
    told: Document = read_output(reply.model_dump_json(by_alias=True))
    return told


def read_output(text: str) -> Any:
    """Return what a command wrote: its JSON document without what is another at each run, else its lines."""
    if not text.startswith(("{", "[")):
        return [line.rstrip() for line in text.splitlines()]
    return _drop_passing(json.loads(text))


def _drop_passing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _drop_passing(each) for name, each in value.items() if name not in _PASSING}
    return [_drop_passing(each) for each in value] if isinstance(value, list) else value


def commands() -> Document:
    """Return every command with its help, arguments and options."""
    listed = get_command(build())
    found: Document = {"luna": {"help": listed.help, "commands": {name: entry.summary for name, entry in COMMANDS.items()}}}
    for name in COMMANDS:
        found |= _describe(getattr(get_command(build(name)), "commands")[name], f"luna {name}")  # noqa: B009 - of groups alone
    return found


def _describe(command: Any, path: str) -> Document:
    parameters = {", ".join(each.opts): _describe_parameter(each) for each in command.params}
    found = {path: {"help": command.help, "arguments": [name for name in parameters if not name.startswith("-")], "parameters": parameters}}
    for name, inner in getattr(command, "commands", {}).items():
        found |= _describe(inner, f"{path} {name}")
    return found


def _describe_parameter(parameter: Any) -> Document:
    fields = ("secondary_opts", "required", "nargs", "multiple", "envvar", "metavar", "min", "max", "help")
    told = {name: value for name in fields if (value := getattr(parameter, name, None)) not in (None, False, [], 1)}
    default = parameter.default
    plain = default is None or isinstance(default, str | int | float | list | tuple)
    return told | {"takes": _describe_type(parameter.type_descriptor.annotation), "default": default if plain else str(default)}


def _describe_type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " | ".join(map(str, get_args(annotation)))
    return {str: "text", int: "integer", float: "number", bool: "flag", Path: "path", datetime: "instant"}.get(annotation, str(annotation))


def programs() -> Document:
    """Return the help of every process that is started as a module."""
    return {name.removesuffix(".__main__"): _read_help(import_module(name).main) for name in PROGRAMS}


def _read_help(main: Callable[[list[str]], int]) -> list[str]:
    with redirect_stdout(StringIO()) as said, suppress(SystemExit):
        main(["--help"])
    return said.getvalue().splitlines()


def tasks() -> Document:
    """Return every task with its queue, its limits in seconds, and what its messages hold."""
    load_services()
    return {
        name: {
            "queue": each.request.queue(),
            "limits": [each.soft_limit.total_seconds(), each.hard_limit.total_seconds()],
            "request": list_fields(each.request.model_json_schema(by_alias=True)),
            "reply": list_fields(each.request.reply.model_json_schema(by_alias=True, mode="serialization")),
        }
        for name, each in definitions().items()
        if each.request.queue() in SERVICES
    }


def site() -> list[str]:
    """Return the fields of the site file."""
    return list_fields(Site.model_json_schema(by_alias=True))


def tables() -> str:
    """Return the statements that make the tables, and the revisions that lead there."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    parts: list[str] = []
    for table in sorted(metadata.tables.values(), key=lambda each: each.name):
        commented = [SetColumnComment(column) for column in table.columns if column.comment]
        elements: list[Any] = [CreateTable(table), *(CreateIndex(index) for index in sorted(table.indexes, key=lambda each: str(each.name))), *commented]
        parts += [str(each.compile(dialect=dialect)).strip() for each in [*elements, *([SetTableComment(table)] if table.comment else [])]]
    versions = sorted((migrate.FOLDER / "versions").glob("r*.*"))
    # Statements frozen in a file of their own are held by their digest.
    revisions = [f"-- {path.name}" + (f" {sha256(path.read_bytes()).hexdigest()}" if path.suffix == ".sql" else "") for path in versions]
    return "\n".join([*(re.sub(r"[ \t]+$", "", part, flags=re.MULTILINE) + ";" for part in parts), *revisions]) + "\n"


def spool(folder: Path) -> Document:
    """Return the files of a spool and what stands in them, written at noon while the database is away."""
    readings = [Reading("sensor.meter", NOON, 1.5, "kWh"), Reading("mqtt:küche/power [W]", NOON, nan)]
    step = EpisodeStep("prod", NOON, {"soc": 0.5}, {"mode": "charge"}, None)
    away = engine.create("postgresql://luna@127.0.0.1:9/none")
    with open_mirror(folder, away, ReadingKind(), EpisodeKind(), clock=FixedClock(NOON)) as mirror:
        mirror.keep(ReadingKind(), "home", readings).result()
        mirror.keep(EpisodeKind(), "home", [step]).result()
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    (path,) = folder.rglob("*.sqlite")
    with closing(sqlite3.connect(path)) as file:
        schema = [row[0] for row in file.execute("SELECT sql FROM sqlite_master")]
        rows = [[part.decode() if isinstance(part, bytes) else part for part in row] for row in file.execute("SELECT * FROM entries")]
        journal = file.execute("PRAGMA journal_mode").fetchone()[0]
    return {"files": files, "journal": journal, "rows": rows, "schema": schema}


def model(folder: Path) -> Document:
    """Return the names of what a training leaves behind, and the shape of its contents."""
    objects = FileObjects(folder)
    key = save_aurora(train(measure_days(40), site=describe_site(), until=day(38), settings=QUICK), objects)
    run = TrainingRun(
        run_id="aurora_v1.0.home.1",
        version="aurora_v1.0",
        data_from=day(0),
        data_until=day(38),
        code_version="0.1.0",
        seed=7,
        train_seconds=2.5,
        metrics={"known_days": 38.0, "load.mae_kwh": 0.0321},
        artefact_key=key,
        trigger="drift",
        verdict="better",
    )
    save_card(Card(run, "home", "young", {"clean": 37, "unjudged": 1}, {"load": ["lead", "mean"]}), objects)
    digest = Path(key).name.partition(".")[0]
    found = {str(path.relative_to(folder)).replace(digest, "DIGEST"): path for path in folder.rglob("*") if path.is_file()}
    return {name: _read_object(path, digest) for name, path in found.items()}


def _read_object(path: Path, digest: str) -> Any:
    if path.suffix != ".gz":
        return path.read_text(encoding="utf-8").replace(digest, "DIGEST").splitlines()
    document = json.loads(gzip.decompress(path.read_bytes()))
    trees = {f"{name} {head}": _read_features(text) for name, part in document["series"].items() for head, text in part["trees"].items()}
    fixed = {name: document[name] for name in ("format", "version", "stage", "site")}
    return {"shape": describe_shape(document), "features": trees, "fixed": fixed}


def _read_features(trees: str) -> list[str]:
    (line,) = (line for line in trees.splitlines() if line.startswith("feature_names="))
    return line.partition("=")[2].split()


def wording() -> Document:
    """Return every code and what is said for it."""
    told = {
        "reasons": {code: _read_reason(code) for code in reason_wordings.list_reason_codes()},
        "reason figures": reason_wordings.FIGURES,
        "limits": _read_phrases(reason_wordings.LIMITS),
        "compromises": _read_pairs(compromises.COMPROMISES, compromises._MISSING),
        "compromise parts": _read_phrases(compromises._PARTS),
        "compromise actions": _read_phrases(compromises.ACTIONS),
        "conditions": _read_phrases(compromises.CONDITIONS),
        "notes": _read_phrases(notes.NOTES),
        "notes of what is assumed": sorted(notes.ASSUMED),
        "modes": {name: _read_mode(name) for name in modes.MODES},
        "modes of devices": {name: _read_mode(name) for name in modes.DEVICE_MODES},
        "policies": _read_phrases(modes.POLICIES),
        "alternatives": _read_phrases(alternatives.ALTERNATIVES),
        "changes": _read_phrases(differences._CAUSES),
        "differences": _read_phrases(differences._REASONS),
        "weekdays": {language: language_forms(language).weekdays_in_full for language in CATALOGUE.languages},
        "rules": _read_phrases(notes._RULES),
        "short weekdays": {language: language_forms(language).weekdays for language in CATALOGUE.languages},
        "months": {language: language_forms(language).months for language in CATALOGUE.languages},
        "currencies": numbers._CURRENCIES,
    }
    return {name: _read_words(spoken) for name, spoken in told.items()}


class _Names(dict[str, object]):
    """Figures, each of which is its own name in braces."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def _read_phrases(phrases: Phrases) -> dict[str, dict[str, str]]:
    found = {code: {language: phrases.find(code, language) for language in CATALOGUE.languages} for code in phrases}
    return {code: {language: say(_Names()) for language, say in each.items() if say} for code, each in found.items()}


def _read_pairs(*each: Phrases) -> dict[str, dict[str, list[str]]]:
    return {code: {language: [phrases.fill(code, language, _Names()) for phrases in each] for language in CATALOGUE.languages} for code in each[0]}


def _read_reason(code: str) -> Document:
    full, short = (
        {language: [wording.text for wording in reason_wordings.find_wordings(code, language, short=short)] for language in CATALOGUE.languages}
        for short in (False, True)
    )
    return full | {f"short_{language}": texts for language, texts in short.items()} | {"rises": reason_wordings.COMPARED.get(code, ())}


def _read_mode(name: str) -> dict[str, list[str]]:
    return {language: [words.say(name, language) for words in (modes._FULL, modes._SHORT)] for language in CATALOGUE.languages}


def _read_words(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, dict):
        return {name: _read_words(each) for name, each in value.items()}
    return [_read_words(each) for each in value] if isinstance(value, list | tuple) else value


def settings() -> Document:
    """Return every variable with its default, and the example file."""
    found = {f"LUNA_{name.upper()}": field for name, field in Settings.model_fields.items()}
    found |= {name.upper(): field for name, field in Deployment.model_fields.items()}
    variables = {name: {"default": None if field.default is None else str(field.default), "says": field.description} for name, field in found.items()}
    bounds = {f"LUNA_{line.partition(':')[0].upper()}": line.partition(": ")[2] for line in list_fields(Settings.model_json_schema())}
    return {"variables": variables, "bounds": bounds, "example": example.render().splitlines()}


def metrics() -> Document:
    """Return every metric with its kind, labels, buckets and help."""
    import_everything()
    collectors: set[Any] = {each for each in REGISTRY._names_to_collectors.values() if re.match("luna_(?!test_)", getattr(each, "_name", ""))}
    return {
        each._name: {
            "kind": each._type,
            "labels": list(each._labelnames),
            "buckets": [str(bound) for bound in each._kwargs.get("buckets", ())],
            "says": each._documentation,
        }
        for each in collectors
    }


def errors() -> Document:
    """Return every code of a problem document with its title, status and exit code; several classes may share one."""
    import_everything()
    kinds = [LunaError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    ours = [kind for kind in kinds if kind.__module__.partition(".")[0] in ("luna", "services")]
    told = {(kind.code, kind.title, kind.status, kind.exit_code) for kind in ours}
    return {code: [list(rest) for first, *rest in sorted(told) if first == code] for code in {code for code, *_ in told}}


def log_events() -> list[str]:
    """Return level, event and fields of every log line whose event is written out where it is logged."""
    return list_log_events(_sources())


def sentences() -> list[str]:
    """Return every text of several words that stands in the code or in the catalogue: errors and their remedies, descriptions, statements, pages."""
    messages = (CATALOGUE.read(topic, language) for language in CATALOGUE.languages for topic in CATALOGUE.topics(language) if topic != ITSELF)
    said = {text for topic in messages for message in topic.values() for text in _list_wordings(message.parts) if " " in text}
    return sorted(said | set(list_sentences(_sources())))


def _list_wordings(parts: Sequence[Part]) -> Iterator[str]:
    """Return a message's text for every way its choices may go."""
    ways = ([part] if isinstance(part, str) else [text for each in part.wordings.values() for text in _list_wordings(each)] for part in parts)
    yield from map("".join, product(*ways))


def _sources() -> list[Path]:
    return [path for package in (luna, services) for path in Path(package.__path__[0]).rglob("*.py") if "migrations" not in path.parts]


def import_everything() -> None:
    """Import every module but those that run when they are imported."""
    for package in (luna, services):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(".__main__") and ".migrations" not in found.name:
                import_module(found.name)
