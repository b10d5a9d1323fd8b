"""The real service, started by the tests on a free port."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

CATALOGUE = """
[slots.claim]
kind = "pattern"
pattern = "CLM-####"

[slots.period]
kind = "period"

[[intent]]
name = "claims"
kind = "live_data"
answered_by = "caller"
phrases = ["claim"]
slots = ["claim", "period"]

[[intent]]
name = "hours"
kind = "knowledge_base"
answered_by = "caller"
phrases = ["opening hours"]
"""

Start = Callable[..., str]


@contextmanager
def running(folder: Path, settings: str, catalogue: str) -> Iterator[str]:
    """Runs the service with these settings; its URL."""
    (folder / "intents.toml").write_text(catalogue)
    config = folder / "router.toml"
    config.write_text(f"[catalogue]\nfile = 'intents.toml'\n{settings}")
    program = os.environ.get("ROUTER_PROGRAM", "router")
    with subprocess.Popen(
        [program, "serve", "--config", str(config), "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            yield next(word for word in words if "://" in word)
        finally:
            process.terminate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a service with these settings, and stops it after the test."""
    with ExitStack() as services:

        def begin(settings: str = "", catalogue: str = CATALOGUE) -> str:
            return services.enter_context(running(tmp_path, settings, catalogue))

        yield begin


@pytest.fixture
def url(start: Start) -> str:
    """A service with the catalogue of the tests."""
    return start()
