"""Every metric has few time series: its labels take values that are bounded, each for a reason."""

from typing import Any

import pytest

from services.api.site_metrics import MOST_SITES
from tests.support.recordings import surfaces

# Label → at most so many values, and why.
BOUNDED = {
    "budget": 10,  # budgets of services/api/identity/rate_limits
    "code": 60,  # notes, compromises and verdicts are declared in the code
    "currency": 5,
    "dependency": 10,
    "direction": 2,
    "device": 50,  # devices of armed sites, which one executor drives
    "flow": 10,  # of the account
    "kind": 4,
    "market": MOST_SITES,
    "method": 4,  # of one route; of plans
    "mode": 4,
    "outcome": 6,
    "policy": 6,
    "queue": 20,
    "role": 30,  # of sensors
    "route": 250,  # templates, never paths
    "series": 4,
    "site": MOST_SITES,
    "site_id": MOST_SITES,  # armed sites, and those that are listened to
    "source": 12,
    "state": 6,
    "status": 6,
    "status_class": 6,
    "task": 80,
    "worded": 4,
}
# Two of these in one metric would multiply.
MANY = {"device", "market", "role", "route", "site", "site_id", "task"}
# Devices and sensors are those of a site.
MULTIPLIED = ({"site_id", "device"}, {"site_id", "role"})


# Not at the import of this module: all that counts anything is imported for it, in every process
# that collects the tests.
@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    return surfaces.metrics()


def test_labels_are_bounded(metrics: dict[str, Any]) -> None:
    labels = {name: set(metric["labels"]) for name, metric in metrics.items()}
    assert len(labels) > 50
    assert {name: own for name, own in labels.items() if own - set(BOUNDED)} == {}
    assert {
        name: own for name, own in labels.items() if len(own & MANY) > 1 and own not in MULTIPLIED
    } == {}


def test_a_platform_has_few_time_series(metrics: dict[str, Any]) -> None:
    # Without what the sites of a fleet add: Prometheus on a small home server holds ten times that.
    bounds = BOUNDED | dict.fromkeys(("site", "site_id", "market"), 3) | {"device": 10}
    total = 0
    for metric in metrics.values():
        series = 1
        for label in metric["labels"]:
            series *= bounds[label]
        total += series * (
            len(metric["buckets"] or range(14)) + 3 if metric["kind"] == "histogram" else 1
        )
    assert total < 250_000
