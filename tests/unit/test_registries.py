"""A registry lists its members by name; what a module of its folder declares and no list has is
found here.
"""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import ModuleInfo, walk_packages
from typing import Any, get_args

import pytest

import luna.drivers.control.units
import luna.energy.devices
import luna.energy.refusals
import luna.house.capabilities
import services.agent
import services.api.pages
import services.api.pages.setup.devices
import services.api.routes
import services.ingest.sources.carbon
import services.ingest.sources.prices
import services.planner.devices
from luna.contracts.data import CarbonService, PriceService
from luna.drivers.control.units import DEVICE_UNITS
from luna.drivers.control.units.unit import DeviceUnits
from luna.energy.devices import DEVICE_KINDS, DeviceSensorRoles
from luna.energy.devices.kind import DeviceKind
from luna.energy.refusals import REASONS, RefusalReason
from luna.energy.site.control import Control
from luna.house.capabilities.registry import CAPABILITIES
from luna.house.capability import Capability
from services.agent.declaration import KindDeclaration
from services.agent.kinds import AGENT_KINDS
from services.api.pages.registry import PAGE_ROUTERS
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.devices.form import DeviceForm
from services.api.routes.registry import ROUTERS
from services.api.routing import ResourceRouter
from services.ingest.sources.carbon.all_sources import CARBON_SOURCES
from services.ingest.sources.carbon.declaration import CarbonSourceDeclaration
from services.ingest.sources.prices.all_sources import PRICE_SOURCES
from services.ingest.sources.prices.declaration import PriceSourceDeclaration
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.kind import PlannedKind

# The folder of each registry, what its modules declare, and the members listed.
REGISTRIES: tuple[tuple[Any, type, Iterable[Any]], ...] = (
    (luna.energy.refusals, RefusalReason, REASONS.values()),
    (luna.energy.devices, DeviceKind, DEVICE_KINDS),
    (luna.house.capabilities, Capability, CAPABILITIES),
    (services.planner.devices, PlannedKind, PLANNED_KINDS),
    (luna.drivers.control.units, DeviceUnits, DEVICE_UNITS),
    (services.ingest.sources.prices, PriceSourceDeclaration, PRICE_SOURCES.values()),
    (services.ingest.sources.carbon, CarbonSourceDeclaration, CARBON_SOURCES.values()),
    (services.agent, KindDeclaration, AGENT_KINDS),
    (services.api.routes, ResourceRouter, ROUTERS),
    (services.api.pages, ResourceRouter, PAGE_ROUTERS),
    (services.api.pages.setup.devices, DeviceForm, DEVICE_FORMS.values()),
)


def read_source(found: ModuleInfo) -> str:
    spec = found.module_finder.find_spec(found.name, None)
    assert spec is not None
    return Path(spec.origin or "").read_text(encoding="utf-8")


def find_declared(package: Any, kind: type) -> Iterator[tuple[str, object]]:
    """Yield what the modules of a package declare, each with the name of its module.

    A module that does not name the kind declares none: to import what it needs would take seconds.
    """
    for found in walk_packages(package.__path__, f"{package.__name__}."):
        if kind.__name__ not in read_source(found):
            continue
        for value in vars(import_module(found.name)).values():
            members = value.values() if isinstance(value, dict) else (value,)
            for member in members:
                if isinstance(member, kind):
                    yield found.name, member


@pytest.mark.parametrize(
    ("package", "kind", "listed"),
    REGISTRIES,
    ids=[package.__name__ for package, _, _ in REGISTRIES],
)
def test_a_registry_lists_what_its_modules_declare(
    package: Any, kind: type, listed: Iterable[object]
) -> None:
    known = {id(member) for member in listed}

    declared = {id(member): module for module, member in find_declared(package, kind)}
    missing = {module for member, module in declared.items() if member not in known}

    assert known <= declared.keys()
    assert missing == set(), f"not listed in {package.__name__}"


@pytest.mark.parametrize(
    ("sections", "order"),
    [
        ([kind.section for kind in PLANNED_KINDS], [kind.section for kind in DEVICE_KINDS]),
        (list(DEVICE_FORMS), [kind.section for kind in DEVICE_KINDS]),
        ([units.section for units in DEVICE_UNITS], list(Control.model_fields)),
        (list(PRICE_SOURCES), list(get_args(PriceService))),
        (list(CARBON_SOURCES), list(get_args(CarbonService))),
    ],
    ids=["planned", "forms", "units", "prices", "carbon"],
)
def test_members_stand_in_one_order(sections: list[str], order: list[str]) -> None:
    assert sections == sorted(sections, key=order.index)


def test_every_sensor_of_a_device_is_a_role_of_a_site() -> None:
    kinds: Mapping[str, type] = {kind.name: kind.sensors for kind in DEVICE_KINDS if kind.sensors}

    assert [name for name, roles in kinds.items() if not issubclass(DeviceSensorRoles, roles)] == []
