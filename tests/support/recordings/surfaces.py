"""What Luna shows to the outside, collected from the code: the one place where recordings know
modules and names within Luna.

Whoever moves or renames something follows here with an import; what is collected stays the same.
"""

import gzip
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing, redirect_stdout, suppress
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib import import_module
from io import StringIO
from math import nan
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from prometheus_client import REGISTRY
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, SetColumnComment, SetTableComment

import luna
import services
from luna.contracts.tasks import REQUESTS
from luna.energy.site import Site
from luna.platform.clock import FixedClock
from luna.platform.database import engine, migrate
from luna.platform.database.episodes import EpisodeStep
from luna.platform.database.schema import metadata
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import FileObjects
from luna.platform.settings import Settings
from luna.platform.settings.model import Deployment
from luna.platform.spool.row_kind import EpisodeKind
from luna.platform.spool.spool import open_mirror
from luna.words.catalogue import ENGLISH
from luna.words.devices import FIELDS
from services.api.app import create_app
from services.forecaster.model.artefact import save_aurora
from services.forecaster.model.aurora import train
from services.forecaster.model.card import save_card
from services.forecaster.retraining.card import Card
from services.ingest.recorder import ReadingKind
from services.ingest.source_readings import Reading
from tests.support.household.measurements import QUICK, day, describe_site, measure_days
from tests.support.recordings.shapes import describe_shape, list_fields, list_own_fields

Document = dict[str, Any]
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
# Run as ``python -m``; each takes ``--help``.
PROGRAMS = (
    "luna.platform.queue.worker",
    "luna.platform.queue.beat",
    "services.ingest.live",
    "services.executor.__main__",
)


def openapi() -> Document:
    """Return the description of the gateway's routes and messages, without catalogue words."""
    described: Document = _without_words(_describe_gateway())
    return described


@cache
def _describe_gateway() -> Document:
    return create_app(Settings()).openapi()


def _without_words(value: Any, field: str = "") -> Any:
    """Return a document without the descriptions of fields that the catalogue holds."""
    if isinstance(value, list):
        return [_without_words(each) for each in value]
    if not isinstance(value, dict):
        return value
    described = field in FIELDS and value.get("description") == FIELDS.say(field, ENGLISH)
    left_out = "description" if described else None
    return {name: _without_words(each, name) for name, each in value.items() if name != left_out}


def messages() -> dict[str, list[str]]:
    """Return the fields of messages between services, but for those that OpenAPI holds."""
    schemas: Document = {}
    for request in REQUESTS:
        schemas |= _split_schema(request.model_json_schema())
        schemas |= _split_schema(request.reply.model_json_schema(mode="serialization"))
    # A message that is other in requests than in replies stands there by both names.
    public = {name.partition("-")[0] for name in _describe_gateway()["components"]["schemas"]}
    return {name: list_own_fields(schemas[name]) for name in schemas if name not in public}


def _split_schema(schema: Document) -> Document:
    """Return a message's schema and those within, by their names."""
    within: Document = schema.get("$defs", {})
    return within | {schema["title"]: schema}


def programs() -> dict[str, list[str]]:
    """Return the options of every process that is started as a module."""
    mains = {name.removesuffix(".__main__"): import_module(name).main for name in PROGRAMS}
    return {name: _read_options(main) for name, main in mains.items()}


def _read_options(main: Callable[[list[str]], int]) -> list[str]:
    with redirect_stdout(StringIO()) as written, suppress(SystemExit):
        main(["--help"])
    return sorted(set(re.findall(r"(?<![\w-])--[a-z-]+", written.getvalue())))


def site() -> list[str]:
    """Return the fields of the site file."""
    return list_fields(Site.model_json_schema(by_alias=True))


def tables() -> str:
    """Return the statements that make the tables, and the revisions that lead there."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    parts: list[str] = []
    for table in sorted(metadata.tables.values(), key=lambda each: each.name):
        commented = [SetColumnComment(column) for column in table.columns if column.comment]
        elements: list[Any] = [
            CreateTable(table),
            *(
                CreateIndex(index)
                for index in sorted(table.indexes, key=lambda each: str(each.name))
            ),
            *commented,
        ]
        parts += [
            str(each.compile(dialect=dialect)).strip()
            for each in [*elements, *([SetTableComment(table)] if table.comment else [])]
        ]
    versions = sorted((migrate.FOLDER / "versions").glob("r*.*"))
    # Statements frozen in a file of their own are held by their digest.
    revisions = [
        f"-- {path.name}"
        + (f" {sha256(path.read_bytes()).hexdigest()}" if path.suffix == ".sql" else "")
        for path in versions
    ]
    return (
        "\n".join(
            [
                *(re.sub(r"[ \t]+$", "", part, flags=re.MULTILINE) + ";" for part in parts),
                *revisions,
            ]
        )
        + "\n"
    )


def spool(folder: Path) -> Document:
    """Return the files of a spool and what stands in them, written at noon while the database is
    away.
    """
    readings = [
        Reading("sensor.meter", NOON, 1.5, "kWh"),
        Reading("mqtt:küche/power [W]", NOON, nan),
    ]
    step = EpisodeStep("prod", NOON, {"soc": 0.5}, {"mode": "charge"}, None)
    away = engine.create("postgresql://luna@127.0.0.1:9/none")
    with open_mirror(folder, away, ReadingKind(), EpisodeKind(), clock=FixedClock(NOON)) as mirror:
        mirror.keep(ReadingKind(), "home", readings).result()
        mirror.keep(EpisodeKind(), "home", [step]).result()
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
    (path,) = folder.rglob("*.sqlite")
    with closing(sqlite3.connect(path)) as file:
        schema = [row[0] for row in file.execute("SELECT sql FROM sqlite_master")]
        rows = [
            [part.decode() if isinstance(part, bytes) else part for part in row]
            for row in file.execute("SELECT * FROM entries")
        ]
        journal = file.execute("PRAGMA journal_mode").fetchone()[0]
    return {"files": files, "journal": journal, "rows": rows, "schema": schema}


def model(folder: Path) -> Document:
    """Return the names of what a training leaves behind, and the shape of its contents."""
    objects = FileObjects(folder)
    key = save_aurora(
        train(measure_days(40), site=describe_site(), until=day(38), settings=QUICK), objects
    )
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
    save_card(
        Card(run, "home", "young", {"clean": 37, "unjudged": 1}, {"load": ["lead", "mean"]}),
        objects,
    )
    digest = Path(key).name.partition(".")[0]
    found = {
        str(path.relative_to(folder)).replace(digest, "DIGEST"): path
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {name: _read_object(path) for name, path in found.items()}


def _read_object(path: Path) -> Any:
    if path.suffix == ".md":
        return "a text for people"
    if path.suffix == ".json":
        return describe_shape(json.loads(path.read_bytes()))
    document = json.loads(gzip.decompress(path.read_bytes()))
    trees = {
        f"{name} {head}": _read_features(text)
        for name, part in document["series"].items()
        for head, text in part["trees"].items()
    }
    fixed = {name: document[name] for name in ("format", "version", "stage", "site")}
    return {"shape": describe_shape(document), "features": trees, "fixed": fixed}


def _read_features(trees: str) -> list[str]:
    (line,) = (line for line in trees.splitlines() if line.startswith("feature_names="))
    return line.partition("=")[2].split()


def settings() -> Document:
    """Return every variable with its default and its bounds."""
    fields = {f"LUNA_{name.upper()}": field for name, field in Settings.model_fields.items()}
    fields |= {name.upper(): field for name, field in Deployment.model_fields.items()}
    defaults = {name: field.default for name, field in fields.items()}
    listed = [line.partition(": ") for line in list_fields(Settings.model_json_schema())]
    bounds = {f"LUNA_{name.upper()}": bound for name, _, bound in listed}
    written = {name: None if value is None else str(value) for name, value in defaults.items()}
    return {"defaults": written, "bounds": bounds}


def metrics() -> Document:
    """Return every metric with its kind, labels, buckets and help."""
    import_everything()
    collectors: set[Any] = {
        each
        for each in REGISTRY._names_to_collectors.values()
        if re.match("luna_(?!test_)", getattr(each, "_name", ""))
    }
    return {
        each._name: {
            "kind": each._type,
            "labels": list(each._labelnames),
            "buckets": [str(bound) for bound in each._kwargs.get("buckets", ())],
            "says": each._documentation,
        }
        for each in collectors
    }


def import_everything() -> None:
    """Import every module but those that run when they are imported."""
    for package in (luna, services):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(".__main__") and ".migrations" not in found.name:
                import_module(found.name)
