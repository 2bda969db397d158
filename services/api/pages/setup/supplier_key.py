"""A customer's key with a supplier, entered in the step Tariff. It is stored, never shown."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from luna.platform.settings.stored import find_source, store_settings
from services.api.gateway import Gateway
from services.api.pages.setup.composition import country_of
from services.api.pages.setup.fields import FieldFault
from services.api.pages.setup.server_access import Access
from services.api.pages.setup.supplier_offers import find_offer, list_offers

FIELD = "supplier_key"


class SupplierKey(NamedTuple):
    """The key of a supplier: its owner, whether it is stored, and its form."""

    called: str
    setting: str
    kept: bool
    access: Access


def view_keys(gateway: Gateway, answers: Mapping[str, Any]) -> list[SupplierKey]:
    """Return the keys that the products of the home's country ask for."""
    keys = []
    for offer in list_offers(_find_country(answers)).values():
        if offer.key_setting is not None:
            kept = _is_kept(gateway, offer.key_setting)
            access = _find_access(gateway, offer.key_setting)
            keys.append(SupplierKey(offer.called, offer.key_setting, kept, access))
    return keys


def store_key(gateway: Gateway, answers: Mapping[str, Any], typed: Mapping[str, str]) -> None:
    """Store the typed key of the chosen product."""
    key = typed.get(FIELD, "").strip()
    setting = _find_setting(answers)
    if key and setting is not None and _find_access(gateway, setting) == "here":
        gateway.settings = store_settings(gateway.settings, {setting: key})


def find_key_faults(gateway: Gateway, answers: Mapping[str, Any]) -> list[FieldFault]:
    """Return the fault of a missing key that can be entered on the page."""
    setting = _find_setting(answers)
    if setting is None or _is_kept(gateway, setting) or _find_access(gateway, setting) != "here":
        return []
    return [FieldFault(FIELD, "missing")]


def _find_setting(answers: Mapping[str, Any]) -> str | None:
    offer = find_offer(answers.get("tariff", {}), _find_country(answers))
    return None if offer is None else offer.key_setting


def _find_country(answers: Mapping[str, Any]) -> str:
    country = country_of(answers)
    return country.code if country else ""


def _is_kept(gateway: Gateway, setting: str) -> bool:
    return getattr(gateway.settings, setting) is not None


def _find_access(gateway: Gateway, setting: str) -> Access:
    settings = gateway.settings
    if _is_kept(gateway, setting) and find_source(settings, setting) not in {"page", "default"}:
        return "by_hand"
    return "here" if settings.database_url is None else "not_here"
