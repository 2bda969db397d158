"""Each fault that is put into the product finds the text that it replaces."""

from bench.mutations import MUTATIONS
from tests.support.documentation.pages import ROOT


def test_the_text_of_every_fault_stands_once_in_its_file() -> None:
    counts = {
        (fault.file, fault.old): (ROOT / fault.file).read_text(encoding="utf-8").count(fault.old)
        for fault in MUTATIONS
    }
    assert {place: count for place, count in counts.items() if count != 1} == {}


def test_every_fault_changes_something() -> None:
    assert [fault.breaks for fault in MUTATIONS if fault.old == fault.new] == []
