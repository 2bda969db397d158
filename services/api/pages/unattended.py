"""What an owner reads before arming devices that Luna speaks to itself: what they do without Luna, who else commands them, what the profile rests on."""

from collections.abc import Iterator
from pathlib import Path

from luna.energy.devices import BatteryControl
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site
from luna.platform.drivers.profile import DeviceProfile, say
from luna.platform.drivers.profiles import load_profile
from luna.words import Language, Numbers
from luna.words.pages import PageWords


def list_unattended(site: Site, data_folder: Path, *, words: PageWords, numbers: Numbers) -> list[str]:
    """Return the sentences, battery by battery."""
    if site.control is None:
        return []
    return [line for battery in site.control.profiled for line in _list(battery, data_folder, words, numbers)]


def _list(battery: BatteryControl, data_folder: Path, words: PageWords, numbers: Numbers) -> Iterator[str]:
    if battery.via is None:
        return
    try:
        profile = load_profile(battery.via.profile, data_folder)
    except InvalidInputError:
        yield words("unattended_profile_missing", device=battery.battery, profile=battery.via.profile)
        return
    yield from _say(profile, battery.battery, words, numbers.language)


def _say(profile: DeviceProfile, device: str, words: PageWords, language: Language) -> Iterator[str]:
    if profile.reverts is not None:
        after_s = profile.reverts.after_s
        yield words("unattended_keeps", device=device) if after_s is None else words("unattended_reverts", device=device, seconds=after_s)
    if profile.exclusive:
        yield words("unattended_exclusive", masters="; ".join(say(text, language) for text in profile.exclusive))
    yield words(f"unattended_evidence_{profile.evidence[0].kind}", profile=profile.title)
