"""``wdualmine fuse``: two volumes in, a fused volume, its maps, a picture and a report out."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..dicom.identity import require_one_patient
from ..fusion.settings import FusionSettings
from ..pipeline.alignment import align_steps
from ..pipeline.anonymous import anonymous
from ..pipeline.folder import Extra, file_names, require_no_remains, require_room
from ..pipeline.folder import write_folder as save
from ..pipeline.request import AS_THEY_LIE, Request
from ..pipeline.result import Result
from ..pipeline.run import fuse_aligned_steps
from ..progress import Progress, finish
from ..volumes.kept_inputs import refuse_overwriting
from ..volumes.writing import writing_errors
from . import fuse_dicom
from .console import ConsoleProgress, note, warn
from .options import (
    add_device,
    add_different_patients,
    add_look,
    add_output,
    add_pair,
    take_negative_pairs,
)
from .series_option import add_series, read_chosen

OVERVIEW = "overview.png"
_WINDOWS = "auto|ct-brain|ct-bone|ct-soft|pet|mr|LO,HI"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine fuse``."""
    take_negative_pairs(parser)
    add_pair(
        parser,
        fixed="volume whose grid the results get",
        moving="volume of the same patient, aligned in space; resampled if its grid differs",
    )
    add_output(parser)
    parser.add_argument(
        "--registration",
        default=AS_THEY_LIE,
        metavar="none|rigid|affine|FILE",
        help="none: both lie in one frame of reference (default); rigid or affine: align the "
        "moving volume first; FILE: a transform from fixed to moving points to apply",
    )
    for role in ("fixed", "moving"):
        parser.add_argument(
            f"--{role}-window",
            default="auto",
            metavar=_WINDOWS,
            help=f"intensities of the {role} volume that go from black to white (default auto)",
        )
    add_series(parser)
    parser.add_argument(
        "--axis",
        default="axial",
        metavar="axial|coronal|sagittal|three-plane",
        help="direction of the slices that the network sees (default axial); three-plane: all "
        "three, averaged",
    )
    add_look(parser)
    parser.add_argument(
        "--colour",
        metavar="TABLE",
        help="also fuse in colour, the PET or SPECT volume through PET-Heat or a matplotlib colour "
        "map",
    )
    parser.add_argument(
        "--share",
        action="store_true",
        help="also map which source each fused value follows, in about three times the time",
    )
    add_device(parser)
    parser.add_argument(
        "--precision",
        default="auto",
        metavar="auto|float32|float16|bfloat16",
        help="of the network on a GPU",
    )
    add_different_patients(parser)
    fuse_dicom.add_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Read, fuse, save everything or nothing, and say what was written."""
    fuse_dicom.require_dicom_wanted(options)
    settings = _settings(options)
    _require_room(options, settings)
    clock = _Clock()
    with ConsoleProgress() as progress:
        progress(Progress(0, "Reading the volumes"))
        with clock.stage("reading"):
            fixed = read_chosen(options.fixed, options.fixed_series, "--fixed-series")
            moving = read_chosen(options.moving, options.moving_series, "--moving-series")
            require_one_patient(fixed.context, moving.context, allowed=options.different_patients)
            dicom = fuse_dicom.prepare(options, settings, fixed, moving) if options.dicom else None
        with clock.stage("registration"):
            request = Request.of(
                fixed, moving, settings, options.registration, options.different_patients
            )
            alignment = finish(align_steps(request), progress.part(0.05, 0.3))
        with clock.stage("fusion"):
            result = finish(fuse_aligned_steps(request, alignment), progress.part(0.3, 0.7))
        with clock.stage("measuring"):
            measures = finish(result.measure_steps(), progress.part(0.7, 0.85))
            result = result.with_measures(measures)
        if options.anonymise:
            result = anonymous(result, (fixed, moving))
        report = save(
            result,
            options.output,
            force=options.force,
            extras=[overview(result), *([dicom.extra(result)] if dicom is not None else [])],
            seconds=clock.seconds,
            progress=progress.part(0.85, 1),
        )
    say(options.output, report, alignment.warning)


def overview(result: Result) -> Extra:
    """``overview.png``, to be written with a result."""

    def write(folder: Path, progress: Callable[[Progress], None]) -> dict[str, Any]:
        # Here and not above: matplotlib takes seconds to import, and bad input is answered without.
        from .pictures.fusion_overview import write_overview

        progress(Progress(0, f"Drawing {OVERVIEW}"))
        with writing_errors(folder / OVERVIEW):
            write_overview(folder / OVERVIEW, result)
        return {}

    return Extra(OVERVIEW, write)


def _settings(options: argparse.Namespace) -> FusionSettings:
    return FusionSettings(
        fixed_window=options.fixed_window,
        moving_window=options.moving_window,
        axis=options.axis,
        strength=options.strength,
        correlation_floor=options.correlation_floor,
        colour=options.colour,
        device=options.device,
        precision=options.precision,
        weights=options.weights,
        share=options.share,
    )


def _require_room(options: argparse.Namespace, settings: FusionSettings) -> None:
    """What would be found wrong with the folder, before anything is read.

    ``--dicom`` looks into its own folder by itself.
    """
    names = file_names(settings, with_transform=options.registration != AS_THEY_LIE)
    refuse_overwriting(
        [
            *(options.output / name for name in [*names, OVERVIEW]),
            *(options.output / fuse_dicom.FOLDER).rglob("*.dcm"),
        ],
        (options.fixed, options.moving, options.weights, options.registration),
    )
    require_room(options.output, [*names, OVERVIEW], force=options.force)
    if not options.dicom:
        require_no_remains(options.output, [fuse_dicom.FOLDER])


def say(output: Path, report: dict[str, Any], warning: str) -> None:
    """Tell what was written, and what must be known of it."""
    measures, windows = report["measures"], (report["fixed"]["window"], report["moving"]["window"])
    print(f"Fused {report['fixed']['name']} and {report['moving']['name']} into {output}:")
    print(f"  {', '.join(report['outputs'])}")
    print(
        "  windows "
        + " and ".join(map(_window_in_words, windows))
        + f"; {sum(report['seconds'].values()):.1f} s on {measures['device']}"
    )
    figures = [
        ("CC / bound", measures["cc_over_bound"], ".4f"),
        ("MI", measures["mi"], ".2f"),
        ("SSIM", measures["ssim"], ".3f"),
        ("Qabf", measures["qabf"], ".3f"),
    ]
    print("  " + ", ".join(f"{n} {v:{f}}" for n, v, f in figures if v is not None))
    print(f"Look at {output / OVERVIEW}, or drop the .nrrd files into 3D Slicer.")
    for text in report["notes"]:
        note(text)
    if warning:
        warn(warning)


def _window_in_words(window: dict[str, Any]) -> str:
    low, high, factor = window["low"], window["high"], window["suv_factor"]
    words = f"{window['name']} {low:.4g} to {high:.4g} {window['units']}".rstrip()
    return words if factor is None else f"{words} (SUV {factor * low:.3g} to {factor * high:.3g})"


class _Clock:
    """Wall-clock seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started
