"""What a profile of registers may not say: it is refused with the place and the reason."""

from pathlib import Path

import pytest

from luna.drivers.profiles import OWN_FOLDER, PACKAGED, load_profile
from luna.energy.errors import InvalidInputError


@pytest.mark.parametrize(
    ("name", "right", "wrong", "reason"),
    [
        # What is only written is read as the most that it charges with.
        (
            "sma_hybrid",
            "limits: {charge_w: most_charging",
            "limits: {charge_w: charge_max",
            "profile-point-write-only",
        ),
        ("huawei_sun2000", "example: SUN2000-10KTL-M1", "example: SUN3000", "profile-example"),
        # A value of another point, and none named.
        (
            "sungrow_sh",
            "{write: charge_limit, put: value, of: converter}",
            "{write: charge_limit, put: value}",
            "profile-write-value",
        ),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(
    tmp_path: Path, name: str, right: str, wrong: str, reason: str
) -> None:
    text = (PACKAGED / f"{name}.yaml").read_text(encoding="utf-8")
    assert right in text
    (tmp_path / OWN_FOLDER).mkdir(parents=True)
    (tmp_path / OWN_FOLDER / f"{name}.yaml").write_text(
        text.replace(right, wrong), encoding="utf-8"
    )
    with pytest.raises(InvalidInputError) as refused:
        load_profile(name, tmp_path)
    assert refused.value.reason == reason
