"""What all tests share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Let SIGINT interrupt, as some tests mean it to: background jobs of a shell ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# Folders and files, below Testing, that take longer than `make check` may.
SLOW = (
    "dicom/",
    "gui/",
    "packaging/test_slicer_install.py",
    "packaging/test_types.py",
    "packaging/test_wheel.py",
    "scene/test_demo.py",
    "scene/test_new_part.py",
    "scene/test_rendering.py",
    "unit/cli/",
    "unit/lab_",
    "unit/registration/",
    "unit/test_samples.py",
    "web/test_browser",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow by where it lies."""
    for item in items:
        place = item.path.relative_to(Path(__file__).parent).as_posix()
        if place.startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def little_room() -> Callable[[int], AbstractContextManager[None]]:
    """``with little_room(n):`` no file grows beyond n bytes; the system refuses as on a full disk.

    As short as it may be: pytest's own report, where it goes to a file, is subject to it too.
    """
    resource = pytest.importorskip("resource", reason="needs POSIX limits")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture
def simple_network(monkeypatch) -> None:
    """A network of a few operations takes the place of the one that ships.

    What these tests look at does not depend on skill, and this one takes no time to load.
    """
    from typing import NamedTuple

    import torch
    from WDualMineLib.network import weights

    class Maps(NamedTuple):
        residual: torch.Tensor
        reliability_a: torch.Tensor
        reliability_b: torch.Tensor
        arbitration: torch.Tensor

    class Simple(torch.nn.Module):
        def forward(self, a, b, *_):
            share = torch.sigmoid(6 * (a - b))
            return Maps((a - b).abs() / 2, share, 1 - share, torch.sigmoid(20 * (a * b - 0.2)))

    monkeypatch.setattr(weights, "load_model", lambda *_: Simple())
    # Which keeps what it loaded for the next study: not this one for the next test.
    monkeypatch.setattr("WDualMineLib.batch.task._networks", {})
