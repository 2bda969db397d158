"""``python -m infra.manifests``: writes the manifests of clusters.

They are infra/kubernetes/luna.yaml and infra/swarm/stack.yml, made from docker-compose.yml unless a
cluster would refuse them.
"""

import sys
from collections.abc import Iterable
from typing import Any

import yaml

from infra.manifests import kubernetes, rules, swarm, swarm_rules
from infra.manifests.workloads import ROOT, read_workloads

_HEAD = (
    "# Made from docker-compose.yml by `make manifests`; edits are lost. How it is installed: "
    "docs/clusters.md\n"
)


class _Plain(yaml.CSafeDumper):
    """YAML without anchors, and with files as blocks that a person can read."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
        )


_Plain.add_representer(str, _Plain.represent_text)


def write(documents: Iterable[Any]) -> str:
    """Return documents as one file's text."""
    return _HEAD + "---\n".join(
        yaml.dump(each, Dumper=_Plain, sort_keys=False, width=160) for each in documents
    )


def render() -> dict[str, str]:
    """Return each file's text by its path."""
    workloads = read_workloads()
    return {
        "infra/kubernetes/luna.yaml": write(kubernetes.render(workloads)),
        "infra/swarm/stack.yml": write([swarm.render(workloads)]),
    }


def find_faults() -> list[str]:
    """Return what a cluster would refuse of what would be written."""
    workloads = read_workloads()
    return [
        *rules.find_faults(list(kubernetes.render(workloads))),
        *swarm_rules.find_faults(swarm.render(workloads)),
    ]


if __name__ == "__main__":
    if faults := find_faults():
        sys.exit("\n".join(faults))
    for path, text in render().items():
        (ROOT / path).write_text(text, encoding="utf-8")
