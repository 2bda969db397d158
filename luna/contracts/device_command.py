"""Commands for devices that Luna drives itself: charge points, switched loads, solar inverters.

As one text they stand among the values that are written and read back:
``charge current_a=10 phases=3 power_w=6900``.
"""

from dataclasses import dataclass
from typing import Literal, Self, get_args

CommandMode = Literal["own", "charge", "stop", "on", "off", "free", "limit"]
_MODES: tuple[CommandMode, ...] = get_args(CommandMode)
_LEAVE_ALONE: frozenset[CommandMode] = frozenset({"own", "stop", "off", "free"})


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """A command that the safety layer allows.

    Args:
        mode: of the device.
        stand_in: mode of a device that has no rule of its own, where ``mode`` is ``own``.
        current_a: the most per phase, whole amperes.
        phases: to charge with, of several; None: the charger has one number.
        fixed_phases: the only number that the charger has; one that could charge with another is
            set to it.
        power_w: the most that it may draw, or give.
    """

    mode: CommandMode
    stand_in: CommandMode | None = None
    current_a: float | None = None
    phases: int | None = None
    fixed_phases: int | None = None
    power_w: float | None = None

    @property
    def known_phases(self) -> int | None:
        """The number of phases that it charges with, None where nobody knows."""
        return self.fixed_phases if self.phases is None else self.phases

    def __str__(self) -> str:
        parts: list[str] = [self.mode]
        if self.stand_in is not None:
            parts.append(f"stand_in={self.stand_in}")
        numbers = {
            "current_a": self.current_a,
            "phases": self.phases,
            "fixed_phases": self.fixed_phases,
            "power_w": self.power_w,
        }
        parts += [f"{name}={value:g}" for name, value in numbers.items() if value is not None]
        return " ".join(parts)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the command of such a text.

        Raises:
            ValueError: it is none.
        """
        mode, *parts = text.split()
        stand_in: CommandMode | None = None
        numbers: dict[str, float] = {}
        for part in parts:
            name, _, value = part.partition("=")
            if name == "stand_in":
                stand_in = _read_mode(value)
            else:
                numbers[name] = float(value)
        phases = numbers.get("phases")
        fixed_phases = numbers.get("fixed_phases")
        return cls(
            _read_mode(mode),
            stand_in,
            numbers.get("current_a"),
            phases=None if phases is None else int(phases),
            fixed_phases=None if fixed_phases is None else int(fixed_phases),
            power_w=numbers.get("power_w"),
        )

    def eases(self, before: Self | None) -> bool:
        """Return whether it leaves the device alone, or draws no more than the one before."""
        if self.mode in _LEAVE_ALONE:
            return True
        if before is None or before.mode != self.mode or before.known_phases != self.known_phases:
            return False
        return _is_at_most(self.current_a, before.current_a) and _is_at_most(
            self.power_w, before.power_w
        )


def _read_mode(text: str) -> CommandMode:
    if text not in _MODES:
        raise ValueError(f"no mode of a command: {text}")
    return text


def _is_at_most(value: float | None, limit: float | None) -> bool:
    if limit is None:
        return True
    return value is not None and value <= limit
