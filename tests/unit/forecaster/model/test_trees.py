import subprocess
import sys
from pathlib import Path


def test_a_missing_system_library_is_named_with_the_way_to_install_it(tmp_path: Path) -> None:
    broken = (
        "raise OSError('libgomp.so.1: cannot open shared object file: No such file or directory')"
    )
    (tmp_path / "lightgbm.py").write_text(broken)
    asked = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from "
        "services.forecaster.model.trees import import_lightgbm; import_lightgbm()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=False
    )
    assert "MachineError" in ended.stderr
    assert "apt-get install libgomp1" in ended.stderr
