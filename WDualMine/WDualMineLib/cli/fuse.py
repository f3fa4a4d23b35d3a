"""``wdualmine fuse``: two volumes in, a fused volume, its maps, a picture and a report out."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from ..errors import OutputError
from ..fusion.api import fuse
from ..fusion.result import FusionResult
from ..fusion.settings import FusionSettings
from ..progress import Progress, finish
from ..quality.volume import measure_volume_steps
from ..volumes.staging import check_destination, interrupts_held, staged_folder
from ..volumes.volume import Volume
from ..volumes.writing import write_volume, writing_errors
from . import fuse_dicom
from .alignment import HELP as REGISTRATION_HELP
from .alignment import Alignment, align
from .console import ConsoleProgress
from .inputs import notes_of, read_source
from .json_report import write_report
from .options import add_device, add_look, add_output, add_pair, take_negative_pairs

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
        "--registration", default="none", metavar="none|rigid|affine|FILE", help=REGISTRATION_HELP
    )
    for role in ("fixed", "moving"):
        parser.add_argument(
            f"--{role}-window",
            default="auto",
            metavar=_WINDOWS,
            help=f"intensities of the {role} volume that go from black to white (default auto)",
        )
    for role in ("fixed", "moving"):
        parser.add_argument(
            f"--{role}-series",
            metavar="UID",
            help=f"which DICOM series is the {role} volume, where its folder holds several",
        )
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
    add_device(parser)
    parser.add_argument(
        "--precision",
        default="auto",
        metavar="auto|float32|float16|bfloat16",
        help="of the network on a GPU",
    )
    fuse_dicom.add_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Fuse, write everything or nothing, and say what was written."""
    fuse_files(options)


def fuse_files(options: argparse.Namespace) -> tuple[FusionResult, Alignment]:
    """:func:`run`, which hands back what it wrote."""
    fuse_dicom.require_dicom_wanted(options)
    settings = FusionSettings(
        fixed_window=options.fixed_window,
        moving_window=options.moving_window,
        axis=options.axis,
        strength=options.strength,
        correlation_floor=options.correlation_floor,
        colour=options.colour,
        device=options.device,
        precision=options.precision,
        weights=options.weights,
    )
    names = _output_names(settings, options.registration)
    check_destination(options.output, names, force=options.force)
    _require_no_remains(options.output, names, dicom=options.dicom)
    clock = _Clock()
    with ConsoleProgress() as progress:
        progress(Progress(0, "Reading the volumes"))
        with clock.stage("reading"):
            sources = [
                read_source(options.fixed, options.fixed_series, "--fixed-series"),
                read_source(options.moving, options.moving_series, "--moving-series"),
            ]
            dicom = fuse_dicom.prepare(options, *sources) if options.dicom else None
            fixed, moving = (source.volume for source in sources)
        with clock.stage("registration"):
            frames = [s.context.frame_of_reference_uid for s in sources if s.context is not None]
            aligned = align(fixed, moving, options.registration, progress.part(0.05, 0.3), frames)
        with clock.stage("fusion"):
            result = fuse(fixed, aligned.moving, settings, progress.part(0.3, 0.7))
        with clock.stage("measuring"):
            measures = measure(result, progress.part(0.7, 0.85))
        # Here and not above: PyTorch and matplotlib take seconds to import, and bad input is
        # answered without them.
        from .report import describe_input, describe_run

        report = describe_run(result) | {
            "fixed": describe_input(options.fixed, fixed, result.pair.fixed_window),
            "moving": describe_input(options.moving, moving, result.pair.moving_window),
            "registration": aligned.report,
            # Notes travel with the volumes, so that some come by more than one way.
            "notes": list(dict.fromkeys([*notes_of(fixed), *notes_of(moving), *result.notes])),
        }
        report["measures"] |= measures
        with staged_folder(options.output, force=options.force) as folder:
            with clock.stage("writing"):
                _write(folder, result, aligned, progress.part(0.85, 0.9))
            if dicom is not None:
                with clock.stage("dicom"):
                    report["dicom"] = dicom.write(
                        folder, result, aligned.transform, progress.part(0.9, 1)
                    )
                report["notes"] += report["dicom"].pop("notes")
                names.append(f"{fuse_dicom.FOLDER}/")
            report |= {"seconds": clock.seconds, "outputs": names}
            with writing_errors(options.output):
                write_report(folder / "report.json", report)
    _say(options.output, report, aligned.warning)
    return result, aligned


def measure(result: FusionResult, progress: Callable[[Progress], None]) -> dict[str, float]:
    """MI, SSIM and Qabf of the fused volume, beside what :attr:`FusionResult.measures` has."""
    axis = result.network.slicing.permutation[0]
    pair = result.pair
    steps = measure_volume_steps(result.fused.array, pair.fixed, pair.moving, axis)
    whole = finish(steps, progress).whole
    return {name.lower(): whole[name] for name in ("MI", "SSIM", "Qabf")}


def _volumes(result: FusionResult) -> dict[str, Volume]:
    volumes = {
        "fused.nrrd": result.fused,
        "reliability_fixed.nrrd": result.reliability_fixed,
        "reliability_moving.nrrd": result.reliability_moving,
        "arbitration.nrrd": result.arbitration,
    }
    return volumes | ({"fused_colour.nrrd": result.colour} if result.colour is not None else {})


def _output_names(settings: FusionSettings, registration: str) -> list[str]:
    return [
        "fused.nrrd",
        "reliability_fixed.nrrd",
        "reliability_moving.nrrd",
        "arbitration.nrrd",
        *(["fused_colour.nrrd"] if settings.colour is not None else []),
        *(["transform.tfm"] if registration != "none" else []),
        "overview.png",
        "report.json",
    ]


def _require_no_remains(folder: Path, names: list[str], *, dicom: bool) -> None:
    """Refuse a folder where files of an earlier run would pass for results of this one.

    Nothing of the user's is removed unasked: ``--force`` replaces files, and these have no
    successor. ``--dicom`` looks into its own folder by itself.

    Raises:
        OutputError: a volume in colour, a transform or DICOM objects that this run does not write.
    """
    optional = ["fused_colour.nrrd", "transform.tfm", *([] if dicom else [fuse_dicom.FOLDER])]
    remains = [folder / name for name in optional if name not in names]
    for path in remains:
        if path.exists():
            raise OutputError(
                f"{path}, of another result, would stay beside the new one",
                f"Move or remove it, or choose another folder than {folder}",
            )


def _write(
    folder: Path,
    result: FusionResult,
    aligned: Alignment,
    progress: Callable[[Progress], None],
) -> None:
    from .overview import write_overview

    volumes = _volumes(result)
    progress(Progress(0, "Writing the volumes"))
    # Compressing takes most of the time, and leaves Python free for the others meanwhile.
    with ThreadPoolExecutor(len(volumes)) as pool:
        # An interrupt between the start of a thread and its entry in the pool would leave a writer
        # behind that nobody waits for.
        with interrupts_held():
            jobs = [pool.submit(write_volume, volume, folder / n) for n, volume in volumes.items()]
        for job in jobs:
            job.result()
    progress(Progress(0.5, "Drawing overview.png"))
    with writing_errors(folder / "overview.png"):
        write_overview(folder / "overview.png", result)
        if aligned.transform is not None:
            sitk.WriteTransform(aligned.transform, str(folder / "transform.tfm"))


def _say(output: Path, report: dict[str, Any], warning: str) -> None:
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
    print("  " + ", ".join(f"{n} {v:{f}}" for n, v, f in figures if v is not None and v == v))
    for note in report["notes"]:
        print(f"  Note: {note}")
    print(f"Look at {output / 'overview.png'}, or drop the .nrrd files into 3D Slicer.")
    if warning:
        print(f"WARNING: {warning}")


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
        self.seconds[name] = round(time.perf_counter() - started, 3)
