"""Every metric has few time series: its labels take values that are bounded, each for a reason."""

from services.api.site_metrics import MOST_SITES
from tests.support.recordings import surfaces
from tests.support.suite.tables import each_row

# Label → at most so many values, and why.
BOUNDED = {
    "budget": 10,  # budgets of services/api/identity/limits
    "code": 60,  # notes, compromises and verdicts are declared in the code
    "currency": 5,
    "dependency": 10,
    "device": 50,  # devices of armed sites, which one executor drives
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
METRICS = surfaces.metrics()


@each_row("name", sorted(METRICS))
def test_labels_are_bounded(name: str) -> None:
    labels = set(METRICS[name]["labels"])
    assert labels <= set(BOUNDED)
    assert len(labels & MANY) <= 1 or labels in ({"site_id", "device"}, {"site_id", "role"})


def test_a_platform_has_few_time_series() -> None:
    # Without what the sites of a fleet add: Prometheus on a small home server holds ten times that.
    bounds = BOUNDED | dict.fromkeys(("site", "site_id", "market"), 3) | {"device": 10}
    total = 0
    for metric in METRICS.values():
        series = 1
        for label in metric["labels"]:
            series *= bounds[label]
        total += series * (len(metric["buckets"] or range(14)) + 3 if metric["kind"] == "histogram" else 1)
    assert total < 250_000
