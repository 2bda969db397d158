"""What a command says where the machine lacks something."""

import errno

import pytest

from luna.energy.errors import MachineError
from services.cli.main import describe_fault
from tests.support.suite.tables import each_row


@each_row(
    ("fault", "field", "remedy"),
    [
        (ModuleNotFoundError("No module named 'polars'", name="polars"), "polars", "pip install"),
        (
            OSError("libgomp.so.1: cannot open shared object file: No such file or directory"),
            "libgomp.so.1",
            "Install the package",
        ),
        (
            ImportError(
                "libstdc++.so.6: cannot open shared object file: No such file or directory"
            ),
            "libstdc++.so.6",
            "Install the package",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "var/demo/report.html"),
            "var/demo/report.html",
            "Free some space",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "data_folder", "Free some space"),
        (
            PermissionError(errno.EACCES, "Permission denied", "var/demo"),
            "var/demo",
            "LUNA_DATA_FOLDER",
        ),
    ],
    ids=[
        "library",
        "system library",
        "system library of an extension",
        "full disk",
        "full disk somewhere",
        "foreign folder",
    ],
)
def test_what_the_machine_lacks_is_named_with_its_remedy(
    fault: ImportError | OSError, field: str, remedy: str
) -> None:
    error = describe_fault(fault)
    assert isinstance(error, MachineError)
    assert error.field == field
    assert remedy in str(error.remedy)


@pytest.mark.parametrize(
    "fault",
    [
        ModuleNotFoundError("No module named 'luna.gone'", name="luna.gone"),
        ImportError("cannot import name 'gone'"),
        ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
    ],
    ids=["module of our own", "name", "connection"],
)
def test_a_fault_of_lunas_own_stays_as_it_is(fault: ImportError | OSError) -> None:
    assert describe_fault(fault) is fault
