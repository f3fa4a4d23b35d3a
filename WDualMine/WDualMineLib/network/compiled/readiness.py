"""Whether compiled loops are at hand: they are loaded in the background, when asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from ...progress import Progress, Steps

_POLL_SECONDS = 0.1

_lock = threading.Lock()
_here = threading.local()
_thread: threading.Thread | None = None
_fused: Callable[..., tuple[Tensor, Tensor]] | None = None
_problem: str | None = None


def installed() -> bool:
    """Whether numba is there; it is not imported."""
    return find_spec("numba") is not None


def prepare() -> None:
    """Begin to load the loops, in a thread, unless that was done before. It takes a second or two;
    where they have to be compiled first, once for each version and machine, half a minute."""
    global _thread
    with _lock:
        if _thread is None and installed():
            _thread = threading.Thread(target=_load, name="WDualMine loops", daemon=True)
            _thread.start()


def waited_for(fraction: float) -> Steps[bool]:
    """Wait for what :func:`prepare` began, with progress at ``fraction``; whether it is there."""
    while _thread is not None and _thread.is_alive():
        _thread.join(_POLL_SECONDS)
        yield Progress(fraction, "Loading compiled loops")
    return ready()


def ready() -> bool:
    """Whether the loops are there now."""
    return _fused is not None


def problem() -> str | None:
    """Why numba, though installed, cannot be used."""
    return _problem


@contextmanager
def used(wanted: bool) -> Iterator[None]:
    """Within, in this thread, networks take the loops where these are ready and fit."""
    before = getattr(_here, "wanted", False)
    _here.wanted = wanted
    try:
        yield
    finally:
        _here.wanted = before


def to_use(model: nn.Module, a: Tensor) -> Callable[..., tuple[Tensor, Tensor]] | None:
    """:func:`.whole.fused`, where it is wanted and can stand in: without derivatives, in single
    precision, on the CPU, with Haar's wavelet."""
    if not getattr(_here, "wanted", False) or torch.is_grad_enabled():
        return None
    fits = a.device.type == "cpu" and a.dtype == torch.float32 and model.decoder.transform.short
    plain = next(model.parameters()).dtype == torch.float32
    return _fused if fits and plain and not torch.is_autocast_enabled("cpu") else None


def _load() -> None:
    global _fused, _problem
    try:
        from ..model import DualMineNetwork
        from .whole import fused

        # The weights do not matter, and none may be drawn: others count on the random numbers.
        with torch.device("meta"):
            model = DualMineNetwork()
        model = model.to_empty(device="cpu").requires_grad_(False)
        for x in (*model.parameters(), *model.buffers()):
            x.zero_()
        air = torch.zeros(1, 1, 16, 16)
        with torch.inference_mode():
            fused(model, air, air, _statistics_of_air(), air, air)
    except Exception as error:
        # numba refuses versions of NumPy and of Python, each in its own way; all works without it.
        _problem = (str(error).strip().splitlines() or [type(error).__name__])[0]
    else:
        _fused = fused


def _statistics_of_air():
    from ..statistics import joint_statistics

    return joint_statistics(*torch.zeros(2, 1, 16))
