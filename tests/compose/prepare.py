"""``python -m tests.compose.prepare``: the engine and all images that the tests here need, before they are needed."""

import tempfile
from pathlib import Path

from tests.compose.stack import Stack, build_app, provide_images

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="luna-images-") as folder:
        stack = Stack("luna-test", Path(folder))
        stack.prepare()
        provide_images(stack)
        build_app(Path(folder) / "app")
