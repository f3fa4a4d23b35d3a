"""``wdualmine evaluate``: fused images against their sources, beside the plain baselines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..fusion.correlation import apply_floor
from ..fusion.rounding import informed_rounding, nearest_rounding
from ..fusion.settings import DEFAULT_FLOOR
from ..progress import Progress
from ..quality.images import list_images, read_luminance
from ..quality.metrics import cc_bound, measure_pair
from ..quality.report import Report, Summary
from ..version import __version__
from ..volumes.whole_files import refuse_existing, write_text
from .console import ConsoleProgress

Image = np.ndarray


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine evaluate``."""
    parser.description = (
        "Measure fused images against their sources: files of equal name in three folders, 8-bit "
        "grey or RGB (then the luminance). Beside them stand the pixel average, the pixel maximum, "
        "and the maximum under the correlation floor, which any fusion has to beat. What each "
        "number means: docs/metrics.md."
    )
    parser.add_argument("--a", type=Path, required=True, metavar="DIR", help="first sources")
    parser.add_argument("--b", type=Path, required=True, metavar="DIR", help="second sources")
    parser.add_argument("--fused", type=Path, required=True, metavar="DIR", help="fused images")
    parser.add_argument(
        "--subset",
        action="store_true",
        help="measure what is in the fused folder even if the sources hold more images",
    )
    parser.add_argument(
        "--correlation-floor",
        type=float,
        default=DEFAULT_FLOOR,
        metavar="TAU",
        help="least CC/bound of the baseline 'maximum + floor', 0 <= TAU < 1 "
        f"(default {DEFAULT_FLOOR})",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write every image's measures as CSV"
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, and write it where asked."""
    if not 0 <= options.correlation_floor < 1:
        raise InputError(
            f"The correlation floor {options.correlation_floor:g} is out of range",
            "Give a number from 0 to below 1",
        )
    outputs = [path for path in (options.json, options.csv) if path is not None]
    refuse_existing(outputs, force=options.force)
    triples = match_images(options.a, options.b, options.fused, subset=options.subset)
    report = Report()
    bounds = []
    with ConsoleProgress() as progress:
        for number, (name, paths) in enumerate(triples.items()):
            progress(Progress(number / len(triples), f"Measuring {name}"))
            fused, a, b = read_triple(name, *paths)
            bounds.append(cc_bound(a, b))
            report.add("fused", name, measure_pair(fused, a, b))
            for row, fuse in baselines(options.correlation_floor).items():
                report.add(row, name, measure_pair(fuse(a, b), a, b))
    bound = Summary.of(bounds)
    print(f"{options.fused}: {len(triples)} images, mean and ± standard deviation")
    print(f"CC bound {bound.mean:.4f} ±{bound.std:.4f}")
    print(report.as_text())
    if options.json is not None:
        text = json.dumps(
            {
                "version": __version__,
                "a": str(options.a),
                "b": str(options.b),
                "fused": str(options.fused),
                "images": len(triples),
                "correlation_floor": options.correlation_floor,
                "cc_bound": None if np.isnan(bound.mean) else bound.mean,
                "rows": report.as_json(),
            },
            indent=2,
        )
        write_text(options.json, text, force=options.force)
    if options.csv is not None:
        write_text(options.csv, report.as_csv(), force=options.force)


def baselines(floor: float) -> dict[str, Callable[[Image, Image], Image]]:
    """Fusions without a network, rounded to 8 bit as files are: ``{row: function of (a, b)}``."""

    def floored_maximum(a: Image, b: Image, rounding: Callable[..., Image]) -> Image:
        sources = (a / np.float32(255), b / np.float32(255))
        stored = partial(rounding, a=sources[0], b=sources[1])
        fused, _ = apply_floor(np.maximum(*sources), *sources, floor, readback=stored)
        return stored(fused)

    return {
        # Halves are rounded to even, as every 8-bit writer here does.
        "average": lambda a, b: np.rint((a.astype(np.float32) + b) / 2).astype(np.uint8),
        "maximum": np.maximum,
        f"maximum + floor {floor:g}": partial(floored_maximum, rounding=nearest_rounding),
        f"maximum + floor {floor:g}, informed rounding": partial(
            floored_maximum, rounding=informed_rounding
        ),
    }


def match_images(
    a: Path, b: Path, fused: Path, *, subset: bool = False
) -> dict[str, tuple[Path, Path, Path]]:
    """``{name: (fused, a, b)}`` of the files of equal name in three folders.

    Raises:
        InputError: a folder is missing or empty, a fused image lacks a source, or (unless
            ``subset``) a source pair lacks its fused image.
    """
    fused_images, a_images, b_images = (list_images(folder) for folder in (fused, a, b))
    for folder, images in ((a, a_images), (b, b_images)):
        _require(fused_images, images, folder, "Put its source there under the same name")
    if not subset:
        pairs = [name for name in a_images if name in b_images]
        _require(pairs, fused_images, fused, "Fuse it too, or measure what is there with --subset")
    return {name: (path, a_images[name], b_images[name]) for name, path in fused_images.items()}


def read_triple(name: str, fused: Path, a: Path, b: Path) -> tuple[Image, Image, Image]:
    """(fused, a, b) as (H, W) uint8 luminance, of one size.

    Raises:
        InputError: a file cannot be read, or the sizes differ.
    """
    images = read_luminance(fused), read_luminance(a), read_luminance(b)
    sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in images]
    if len(set(sizes)) > 1:
        raise InputError(
            f"{name} has different sizes: fused {sizes[0]}, a {sizes[1]}, b {sizes[2]} pixels",
            "Give sources and fused images on one grid",
        )
    return images


def _require(names, present, folder: Path, remedy: str) -> None:
    missing = [name for name in names if name not in present]
    if missing:
        others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise InputError(f"{folder} lacks {missing[0]}{others}", remedy)
