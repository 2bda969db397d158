"""What an error says to a person and to a machine."""

import json

import numpy as np

from luna.energy.errors import (
    ConflictError,
    InvalidInputError,
    LunaError,
    MachineError,
    NotFoundError,
    OutdatedError,
    UnavailableError,
    read_problem,
)
from tests.support.suite.tables import each_row

KINDS = [LunaError, InvalidInputError, NotFoundError, ConflictError, UnavailableError, MachineError]


def test_an_error_names_place_value_and_remedy() -> None:
    error = InvalidInputError(
        "must lie below 1",
        field="site.batteries.0.charge_efficiency",
        value=1.3,
        remedy="Give a share.",
    )
    assert (
        str(error)
        == "site.batteries.0.charge_efficiency: must lie below 1 (got 1.3). Give a share."
    )


def test_an_error_says_no_more_than_it_knows() -> None:
    assert str(LunaError("the disk is full")) == "the disk is full."
    assert LunaError("the disk is full").problem() == {
        "type": "urn:luna:problem:internal",
        "title": "Internal error",
        "status": 500,
        "detail": "the disk is full.",
    }


def test_a_problem_document_carries_what_a_caller_can_act_on() -> None:
    problem = NotFoundError(
        "no such site", field="site_id", value="hut", remedy="luna site list shows them."
    ).problem()
    assert problem == {
        "type": "urn:luna:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "site_id: no such site (got 'hut'). luna site list shows them.",
        "field": "site_id",
        "value": "hut",
        "remedy": "luna site list shows them.",
    }


@each_row(
    ("value", "shown"),
    [
        (1.3, 1.3),
        (0, 0),
        (False, False),
        ("x", "x"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (np.float64(1.5), 1.5),
        (np.int64(3), "3"),
        ([1, 2], "[1, 2]"),
    ],
    ids=repr,
)
def test_every_value_can_be_written_as_json(value: object, shown: object) -> None:
    problem = InvalidInputError("wrong", value=value).problem()
    assert problem["value"] == shown
    assert json.loads(json.dumps(problem, allow_nan=False))["value"] == shown


@each_row(
    ("kind", "status", "exit_code"),
    list(zip(KINDS, [500, 422, 404, 409, 503, 500], [1, 2, 2, 1, 1, 1], strict=True)),
    ids=[kind.__name__ for kind in KINDS],
)
def test_each_kind_has_its_status_and_exit_code(
    kind: type[LunaError], status: int, exit_code: int
) -> None:
    assert (kind.status, kind.exit_code, kind("x").problem()["status"]) == (
        status,
        exit_code,
        status,
    )


def test_each_kind_has_a_code_of_its_own() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


def test_every_kind_is_caught_as_one() -> None:
    assert all(issubclass(kind, LunaError) for kind in KINDS)


@each_row("value", [None, "hut", 3, 1.3, True, [1, 2], float("nan")], ids=repr)
@each_row("kind", [*KINDS, OutdatedError])
def test_the_document_of_an_error_is_read_back_as_that_error(
    kind: type[LunaError], value: object
) -> None:
    written = kind(
        "no such site", field="site_id", value=value, remedy="luna site list shows them."
    ).problem()
    error = read_problem(json.loads(json.dumps(written)))
    assert type(error) is kind
    assert (error.message, error.field, error.remedy) == (
        "no such site",
        "site_id",
        "luna site list shows them.",
    )
    assert error.problem().get("value") == written.get("value")


def test_an_error_of_a_newer_version_is_read_back_by_its_status() -> None:
    error = read_problem(
        {"type": "urn:luna:problem:unheard-of", "status": 422, "detail": "this is new."}
    )
    assert (type(error), str(error)) == (InvalidInputError, "this is new.")
    assert type(read_problem({"detail": "begun 3 times"})) is LunaError
