"""``wdualmine fuse``: two volumes in, a fused volume, its maps, a picture and a report out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dicom.identity import require_one_patient
from ..fusion.settings import FusionSettings
from ..pipeline.alignment import Alignment
from ..pipeline.folder import Extra, file_names, require_no_remains, require_room
from ..pipeline.job import fuse_into
from ..pipeline.request import AS_THEY_LIE
from ..pipeline.result import Result
from ..progress import Progress
from ..volumes.kept_inputs import refuse_overwriting
from ..volumes.volume import Volume
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

if TYPE_CHECKING:
    from torch import nn

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
    add_settings(parser)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Every option but the two volumes and where to: what a row of a batch can say, too."""
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
        help="also map which source each fused value follows; the network takes longer",
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
    require_possible(options)
    with ConsoleProgress() as progress:
        report, alignment = fuse_study(options, progress)
    say(options.output, report, alignment.warning)


def require_possible(options: argparse.Namespace) -> FusionSettings:
    """What would be found wrong with the options and the folder, before anything is read."""
    fuse_dicom.require_dicom_wanted(options)
    settings = settings_of(options)
    _require_room(options, settings)
    return settings


def fuse_study(
    options: argparse.Namespace,
    progress: Callable[[Progress], None],
    model: nn.Module | None = None,
    extras: Callable[[Result], Sequence[Extra]] = lambda _: (),
) -> tuple[dict[str, Any], Alignment]:
    """One fusion as the command does it, without a word on the console.

    Args:
        options: of ``wdualmine fuse``.
        progress: called after every step.
        model: a network that is loaded already.
        extras: what is written beside what the command writes.
    """
    settings = settings_of(options)
    dicom: list[fuse_dicom.DicomOutput] = []

    def read() -> tuple[Volume, Volume]:
        fixed = read_chosen(options.fixed, options.fixed_series, "--fixed-series")
        moving = read_chosen(options.moving, options.moving_series, "--moving-series")
        if options.dicom:
            require_one_patient(fixed.context, moving.context, allowed=options.different_patients)
            dicom.append(fuse_dicom.prepare(options, settings, fixed, moving))
        return fixed, moving

    return fuse_into(
        options.output,
        read,
        settings,
        registration=options.registration,
        different_patients=options.different_patients,
        anonymise=options.anonymise,
        force=options.force,
        extras=lambda result: [
            overview(result),
            *(output.extra(result) for output in dicom),
            *extras(result),
        ],
        progress=progress,
        model=model,
    )


def overview(result: Result) -> Extra:
    """``overview.png``, to be written with a result."""

    def write(folder: Path, progress: Callable[[Progress], None]) -> dict[str, Any]:
        # Here and not above: matplotlib takes seconds to import, and bad input is answered without.
        from .pictures.fusion_overview import write_overview

        progress(Progress(0, f"Drawing {OVERVIEW}"))
        write_overview(folder / OVERVIEW, result)
        return {}

    return Extra(OVERVIEW, write)


def settings_of(options: argparse.Namespace) -> FusionSettings:
    """What the options say of the fusion."""
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


def seconds_of(report: dict[str, Any]) -> float:
    """Of all stages that the report tells of: aligning, fusing, measuring, writing."""
    aligning = (report.get("registration") or {}).get("seconds") or {}
    fusing = {k: v for k, v in report["measures"].items() if k.startswith("seconds_")}
    return sum(sum(each.values()) for each in (aligning, fusing, report["seconds"]))


def say(output: Path, report: dict[str, Any], warning: str) -> None:
    """Tell what was written, and what must be known of it."""
    measures, windows = report["measures"], (report["fixed"]["window"], report["moving"]["window"])
    print(f"Fused {report['fixed']['name']} and {report['moving']['name']} into {output}:")
    print(f"  {', '.join(report['outputs'])}")
    print(
        "  windows "
        + " and ".join(map(_window_in_words, windows))
        + f"; {seconds_of(report):.1f} s on {measures['device']}"
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
