"""``wdualmine fuse-images``: the literature's protocol, pairs of 8-bit images of equal name."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..fusion.correlation import FloorReport
from ..fusion.rounding import informed_rounding, nearest_rounding
from ..fusion.settings import FusionSettings
from ..progress import Progress
from ..quality.images import list_images, read_image
from ..volumes.kept_inputs import refuse_overwriting
from ..volumes.staging import check_destination, staged_folder
from ..volumes.whole_files import writing_errors
from .console import ConsoleProgress, note
from .options import add_device, add_look, add_output

ROUNDINGS = {"informed": informed_rounding, "nearest": nearest_rounding}

MAP_FOLDERS = ("reliability_a", "reliability_b", "arbitration")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine fuse-images``."""
    parser.description = (
        "Fuse pairs of 8-bit grey or RGB images of equal name, each pair on its own. Of colour "
        "images the luminance (Y of YCbCr) is fused and the chroma put back. The correlation floor "
        "holds for the luminance of every file as it is written."
    )
    parser.add_argument("a", type=Path, metavar="DIR_A", help="first sources")
    parser.add_argument("b", type=Path, metavar="DIR_B", help="second sources, of equal names")
    add_output(parser)
    parser.add_argument(
        "--maps",
        action="store_true",
        help=f"also write the maps, 8 bit for 0 to 1, into {', '.join(MAP_FOLDERS)}",
    )
    parser.add_argument(
        "--rounding",
        choices=tuple(ROUNDINGS),
        default="informed",
        help="to 8 bit: down or up, whichever tells more of both sources (default), or to the "
        "nearest level",
    )
    add_look(parser)
    add_device(parser)


def run(options: argparse.Namespace) -> None:
    """Fuse every pair, write all files or none, and say how they correlate with their sources."""
    settings = FusionSettings(
        strength=options.strength,
        correlation_floor=options.correlation_floor,
        device=options.device,
        weights=options.weights,
    )
    pairs = match_pairs(options.a, options.b)
    folders = ("", *MAP_FOLDERS) if options.maps else ("",)
    outputs = [f"{folder}/{name}" if folder else name for folder in folders for name in pairs]
    check_destination(options.output, outputs, force=options.force)
    sources = [path for pair in pairs.values() for path in pair]
    refuse_overwriting([options.output / name for name in outputs], [*sources, options.weights])
    # Here and not above: PyTorch takes seconds to import, and bad input is answered without it.
    from ..fusion.engine import SliceEngine
    from ..network.weights import load_model
    from .image_fusion import fuse_images

    engine = SliceEngine(load_model(settings.weights), settings.device)
    floors: dict[str, FloorReport] = {}
    with (
        ConsoleProgress() as progress,
        staged_folder(options.output, force=options.force) as folder,
    ):
        for number, (name, (path_a, path_b)) in enumerate(pairs.items()):
            progress(Progress(number / len(pairs), f"Fusing {name}"))
            a, b = read_pair(name, path_a, path_b)
            suffix = Path(name).suffix.lower()
            image = fuse_images(a, b, suffix, engine, settings, ROUNDINGS[options.rounding])
            with writing_errors(options.output / name):
                (folder / name).write_bytes(image.content)
                for map_folder, content in zip(folders[1:], image.maps, strict=False):
                    (folder / map_folder).mkdir(exist_ok=True)
                    (folder / map_folder / name).write_bytes(content)
            floors[name] = image.floor
    _say(options, floors, engine.notes)


def match_pairs(a: Path, b: Path) -> dict[str, tuple[Path, Path]]:
    """``{name: (a, b)}`` of the images in two folders.

    Raises:
        InputError: a folder is missing or holds no image, or an image lacks its partner.
    """
    images_a, images_b = list_images(a), list_images(b)
    if not images_a.keys() & images_b.keys():
        raise InputError(
            f"No image in {a} has the name of one in {b}: {next(iter(images_a))} there, "
            f"{next(iter(images_b))} here",
            "Give the two images of a pair the same name",
        )
    for folder, there, here in ((b, images_a, images_b), (a, images_b, images_a)):
        missing = sorted(there.keys() - here.keys())
        if missing:
            others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise InputError(
                f"{folder} lacks {missing[0]}{others}",
                "Put the partner there under the same name, or take the single image away",
            )
    return {name: (path, images_b[name]) for name, path in images_a.items()}


def read_pair(name: str, path_a: Path, path_b: Path) -> tuple[np.ndarray, np.ndarray]:
    """Two images of one size, uint8, each (H, W) or (H, W, 3).

    Raises:
        InputError: one cannot be read, or the sizes differ.
    """
    a, b = read_image(path_a), read_image(path_b)
    if a.shape[:2] != b.shape[:2]:
        sizes = " and ".join(f"{image.shape[1]} x {image.shape[0]}" for image in (a, b))
        raise InputError(
            f"The two images {name} differ in size: {sizes} pixels",
            "Register them and bring them to one grid first",
        )
    return a, b


def _say(options: argparse.Namespace, floors: dict[str, FloorReport], notes: list[str]) -> None:
    ratios = [f.cc_over_bound for f in floors.values() if np.isfinite(f.cc_over_bound)]
    maps = f", their maps in {', '.join(MAP_FOLDERS)}" if options.maps else ""
    print(f"Fused {len(floors)} pairs into {options.output}{maps}.")
    if ratios:
        print(f"  CC / bound as written: mean {np.mean(ratios):.4f}, least {min(ratios):.4f}")
    print(
        f"Measure them with: wdualmine evaluate --a {options.a} --b {options.b} "
        f"--fused {options.output}"
    )
    for text in notes:
        note(text)
    for name, floor in floors.items():
        if floor.reason:
            note(f"{name}: {floor.reason}")
