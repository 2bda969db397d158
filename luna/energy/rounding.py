"""How little a value may lie beyond its bounds and be rounding: the same for what sensors say, what files hold and what requests bring. Pure."""

from typing import Any

# Battery systems that recalibrate, and gateways that round, show 101 % or −1 % for a while.
SOC_ROUNDING = 0.02
# Of a quarter-hour: meters that count both directions round a few watt-hours below zero, and an inverter uses a few itself at night.
ENERGY_ROUNDING_KWH = 0.005


def round_soc(given: Any) -> Any:
    """Return a state of charge just beyond 0 or 1 as that bound; anything else as it is."""
    if isinstance(given, int | float) and -SOC_ROUNDING <= given <= 1 + SOC_ROUNDING:
        return min(max(given, 0.0), 1.0)
    return given


def round_energies(given: Any) -> Any:
    """Return a list with energies just below zero as zero; anything else as it is."""
    if not isinstance(given, list):
        return given
    return [0.0 if isinstance(each, int | float) and -ENERGY_ROUNDING_KWH <= each < 0 else each for each in given]
