"""A real browser, where the machine has one: Debian's chromium, driven by Playwright."""

import os
import shutil
from pathlib import Path

# Names a browser where none is on PATH.
VARIABLE = "LUNA_TEST_CHROMIUM"
CHROMIUM = (
    os.environ.get(VARIABLE)
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
)
FRONTEND = Path(__file__).parents[3] / "services" / "api" / "frontend"
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
BUILT = (FRONTEND.parent / "static" / "manifest.json").exists()

MISSING = (
    None
    if CHROMIUM and BUILT
    else f"no browser; {VARIABLE} names none"
    if BUILT
    else "no scripts: make static"
)
SAID = f"pages: {CHROMIUM}" if MISSING is None else f"pages: not opened, {MISSING}"
