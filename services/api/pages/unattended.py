"""What an owner reads before arming devices that Luna speaks to itself: what they do without Luna, who else commands them, what the profile rests on."""

from collections.abc import Iterator
from pathlib import Path

from luna.energy.devices import Via
from luna.energy.errors import InvalidInputError
from luna.energy.site import Site
from luna.platform.drivers.profile import DeviceProfile, say
from luna.platform.drivers.profiles import load_profile
from luna.words import Language, Numbers
from luna.words.modes import say_mode
from luna.words.pages import PageWords


def list_unattended(site: Site, data_folder: Path, *, words: PageWords, numbers: Numbers) -> list[str]:
    """Return the sentences, battery by battery."""
    if site.control is None:
        return []
    return [line for device, via in site.control.vias.items() for line in _list(device, via, data_folder, words=words, language=numbers.language)]


def _list(device: str, via: Via, data_folder: Path, *, words: PageWords, language: Language) -> Iterator[str]:
    try:
        profile = load_profile(via.profile, data_folder)
    except InvalidInputError:
        yield words("unattended_profile_missing", device=device, profile=via.profile)
        return
    yield from _say(profile, device, words, language)


def _say(profile: DeviceProfile, device: str, words: PageWords, language: Language) -> Iterator[str]:
    if profile.reverts is not None:
        after_s = profile.reverts.after_s
        yield words("unattended_keeps", device=device) if after_s is None else words("unattended_reverts", device=device, seconds=after_s)
        if after_s is not None and profile.reverts.stays_in:
            yield words("unattended_stays", modes=", ".join(say_mode(mode, language=language) for mode in profile.reverts.stays_in))
    if profile.exclusive:
        yield words("unattended_exclusive", masters="; ".join(say(text, language) for text in profile.exclusive))
    yield words(f"unattended_evidence_{profile.evidence[0].kind}", profile=profile.title)
