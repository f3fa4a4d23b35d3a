"""Weights on disk, in a format that cannot run code: tensors and numbers only."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import asdict, fields
from os import PathLike
from pathlib import Path

import torch

from ..errors import WeightsError
from ..resources import resource_path
from .model import DualMineNetwork, NetworkConfig
from .weights_file import DamagedWeights, require_intact

FORMAT = 4
"""Raised when files written before cannot be read any more."""

_MOST_CHANNELS = 4096

SHIPPED = "Models/wdualmine.pt"

_REMEDY = "Leave out the weights option to use those that come with WDualMine, or install it again"


def default_path() -> Path:
    """The weights that ship."""
    return resource_path(SHIPPED)


def save_weights(model: DualMineNetwork, path: Path) -> None:
    """Write a network's configuration and weights; ``path`` is replaced at once.

    In half precision, which halves the file: what it loses (one part in two thousand of a weight)
    moves no output by a grey level. They are computed with as float32.
    """
    state = {name: tensor.detach().half().cpu() for name, tensor in model.state_dict().items()}
    partial = path.with_name(path.name + ".part")
    torch.save({"format": FORMAT, "config": asdict(model.config), "state": state}, partial)
    partial.replace(path)


def load_model(
    path: str | PathLike[str] | None = None, device: str | torch.device = "cpu"
) -> DualMineNetwork:
    """The network with its weights, in eval mode.

    Args:
        path: a file of :func:`save_weights`; None for those that ship.
        device: where to put it.

    Raises:
        WeightsError: the file is missing, is not a weights file, was cut short, belongs to another
            architecture, or holds numbers that are not finite.
    """
    path = default_path() if path is None else Path(path)
    try:
        require_intact(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(f"The weights file {path} does not exist", _REMEDY) from error
    # torch reports a damaged archive as RuntimeError, a foreign file as UnpicklingError.
    except (
        OSError,
        EOFError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        pickle.UnpicklingError,
        DamagedWeights,
    ) as error:
        raise WeightsError(
            f"{path} is not a weights file of WDualMine, or it is damaged", _REMEDY
        ) from error
    if not isinstance(content, dict) or not {"format", "config", "state"} <= content.keys():
        raise WeightsError(f"{path} does not hold weights of WDualMine", _REMEDY)
    if content["format"] != FORMAT:
        raise WeightsError(
            f"{path} has weights of format {content['format']}, this version reads {FORMAT}",
            _REMEDY,
        )
    try:
        known = {f.name for f in fields(NetworkConfig)}
        config = {k: tuple(v) if isinstance(v, list) else v for k, v in content["config"].items()}
        if config.keys() != known:
            raise ValueError(f"configuration of {sorted(config)}")
        _require_shapes(NetworkConfig(**config), content["state"])
        model = DualMineNetwork(NetworkConfig(**config))
        model.load_state_dict(content["state"])
    except (RuntimeError, TypeError, ValueError, AttributeError, IndexError, KeyError) as error:
        raise WeightsError(f"{path} holds weights of another network", _REMEDY) from error
    if not all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()):
        raise WeightsError(f"{path} holds weights that are not finite numbers", _REMEDY)
    # Without it the first call would keep what only training needs.
    return model.requires_grad_(False).eval().to(device)


def _require_shapes(config: NetworkConfig, state: dict[str, torch.Tensor]) -> None:
    """ValueError unless ``state`` fits; a configuration alone could ask for any memory and time."""
    sizes = [config.detail, config.surroundings, config.hidden, config.refinements]
    if max([*sizes, *config.channels, len(config.channels)]) > _MOST_CHANNELS:
        raise ValueError("a network of impossible size")
    with torch.device("meta"):
        expected = DualMineNetwork(config).state_dict()
    if {n: t.shape for n, t in expected.items()} != {n: t.shape for n, t in state.items()}:
        raise ValueError("weights of other shapes")


def weights_hash(path: str | PathLike[str] | None = None) -> str:
    """SHA-256 of the weights file, in hexadecimal: what reports name the weights by."""
    path = default_path() if path is None else Path(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
