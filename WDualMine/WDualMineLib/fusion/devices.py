"""Which processor to compute on, and the memory that it has."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import torch

from ..errors import DeviceError

# Just below what the GNU C library takes into account.
_KEPT = 31 << 20
# Where the free memory of the machine cannot be asked for.
_ASSUMED_FREE = 2 << 30


def choose_device(name: str) -> tuple[torch.device, list[str]]:
    """The device for a name of :data:`~.settings.DEVICE_NAMES`, and what the user must be told.

    A GPU is taken only after a trial convolution on it gave what the CPU gives: drivers that do not
    fit, and cards too old or too new for the installed PyTorch, show only then. "auto" falls back
    to the CPU, with a note if there was a GPU.

    Raises:
        DeviceError: a GPU was asked for by name and cannot be used.
    """
    if name == "cpu":
        return torch.device("cpu"), []
    notes = []
    for kind in ("cuda", "mps") if name == "auto" else (name,):
        trouble = _trouble_with(kind)
        if trouble is None:
            return torch.device(kind), []
        if name != "auto":
            raise DeviceError(
                f"The device {name!r} cannot be used: {trouble}",
                "Choose the device auto or cpu, or repair the GPU's driver or PyTorch",
            )
        if trouble is not _ABSENT:
            notes.append(f"The GPU cannot be used ({trouble}), so the CPU computed instead.")
    return torch.device("cpu"), notes


_ABSENT = "PyTorch finds no such device on this computer"


def _trouble_with(kind: str) -> str | None:
    """Why a kind of GPU cannot be used; None if it can."""
    backend = torch.cuda if kind == "cuda" else torch.backends.mps
    if not backend.is_available():
        return _ABSENT
    image = torch.linspace(0, 1, 256).reshape(1, 1, 16, 16)
    kernel = torch.linspace(-1, 1, 9).reshape(1, 1, 3, 3)
    wanted = torch.nn.functional.conv2d(image, kernel)
    try:
        found = torch.nn.functional.conv2d(image.to(kind), kernel.to(kind)).cpu()
    except (RuntimeError, AssertionError) as error:
        return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if not torch.allclose(found, wanted, atol=1e-2):
        return "a trial computation on it came out wrong"
    return None


def free_memory(device: torch.device) -> int:
    """Bytes that can still be allocated on ``device``, as far as can be known."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        # What PyTorch holds in reserve is free for PyTorch.
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return _ASSUMED_FREE


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed: CUDA, MPS and the CPU each say it in their own way."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text
    )


def release_memory(device: torch.device) -> None:
    """Give what is held in reserve for the next map back to other programs."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    elif sys.platform == "linux":
        # Of the GNU C library; others need none.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def keep_freed_memory() -> None:
    """Let the C library keep what is freed for the next map, as far as it can be told.

    The GNU one gives large blocks back to the system at once, and fetches and clears them again for
    the next map: a third of the time of a slice. It stops doing so for blocks up to the largest
    that was freed so far (mallopt(3), M_MMAP_THRESHOLD), 32 MiB at the most. Elsewhere this does
    nothing.
    """
    torch.empty(_KEPT, dtype=torch.uint8)


def describe(device: torch.device) -> str:
    """What a report calls the device: the card's own name where there is one."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
