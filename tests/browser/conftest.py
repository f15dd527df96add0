"""The status page in a real browser.  The keeper, and how it is told of runs, are those of tests/cli."""

import pathlib
import sys

import pytest

CLI = pathlib.Path(__file__).resolve().parent.parent / "cli"
sys.path.insert(0, str(CLI))

from browser import Browser, program  # noqa: E402


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if program() is None:
        pytest.skip("there is no chromium")
    b = Browser(tmp_path_factory.mktemp("b"))
    yield b
    b.end()
