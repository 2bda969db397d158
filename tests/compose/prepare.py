"""``python -m tests.compose.prepare``: the engine and all images that the tests here need, before
they are needed.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.compose.stack import Stack, build_app, build_images, start_engine


def prepare() -> None:
    """Have the engine run, third parties' images at hand and Luna's own built of the code as it
    is.
    """
    with tempfile.TemporaryDirectory(prefix="luna-images-") as folder, ThreadPoolExecutor() as pool:
        stack = Stack("luna-test", Path(folder))
        stack.prepare()
        start_engine(stack)
        for built in [
            pool.submit(build_images, stack),
            pool.submit(build_app, Path(folder) / "app"),
        ]:
            built.result()


if __name__ == "__main__":
    prepare()
