"""``wdualmine demo``: real volumes out of packages, fused, and shown in a MRML scene."""

from __future__ import annotations

import argparse
import importlib.util
import shlex
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..fusion.settings import FusionSettings
from ..pipeline.folder import write_folder
from ..pipeline.result import Result
from ..pipeline.run import fuse_steps
from ..pipeline.sources import read
from ..progress import finish
from ..samples.catalogue import CT_BRAIN, GREY_MATTER, MR_T1, WHITE_MATTER
from ..samples.download import cache_folder, fetch, load
from ..samples.simulated_pet import simulate_fdg_pet
from ..volumes.staging import staged_folder
from ..volumes.volume import Volume
from ..volumes.whole_files import refuse_existing
from ..volumes.writing import write_volume
from .console import ConsoleProgress
from .fuse import overview, say

# Progress goes to stderr; without this, a log would show the two out of order.
_say = partial(print, flush=True)


@dataclass(frozen=True)
class _Run:
    """One fusion of the demo: its folder, its sources, and how they are fused."""

    name: str
    fixed: Volume
    moving: Volume
    settings: FusionSettings
    registration: str = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine demo``."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("demo-output"),
        metavar="DIR",
        help="folder to write into (default demo-output)",
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help=f"folder that the packaged volumes are kept in (default {cache_folder()})",
    )


def run(options: argparse.Namespace) -> None:
    """Fetch, fuse twice, build the scene, and say where everything is."""
    folder: Path = options.output
    refuse_existing([folder / "scene.mrb"], force=options.force)
    _say("Fetching packaged volumes (once)")
    runs = _runs(options.cache)
    with staged_folder(folder / "sources", force=options.force) as staging:
        for volume in {v.name: v for each in runs for v in (each.fixed, each.moving)}.values():
            write_volume(volume, staging / _file_name(volume))
            _say(f"  {_file_name(volume)}: {volume.attributes['source']}")
    done = [_fuse(each, folder, options.force) for each in runs]
    _say()
    if importlib.util.find_spec("slicer") is None:
        _say("No MRML scene: slicer-core is not installed (pip install 'wdualmine[scene]').")
        return
    # Here and not above: slicer-core is an extra.
    from .demo_scene import DemoPair, write_scene

    _say("Building a MRML scene, saving it, loading it again and drawing its slice views")
    pairs = [
        DemoPair(each.name, each.fixed, each.moving, result)
        for each, result in zip(runs, done, strict=True)
    ]
    for path in write_scene(pairs, folder):
        _say(f"  {path}")
    _say(f"Open {folder / 'scene.mrb'} in 3D Slicer: everything is in it, named and coloured.")


def _runs(cache: Path | None) -> list[_Run]:
    paths = fetch((MR_T1, CT_BRAIN, GREY_MATTER, WHITE_MATTER), cache)
    mr, ct, grey, white = (load(sample, path) for sample, path in paths.items())
    pet = simulate_fdg_pet(grey, white)
    return [
        # Both are averages of other people's heads, so that their sizes differ: affine.
        _Run("ct-mr", mr, ct, FusionSettings(moving_window=(0.0, 80.0)), "affine"),
        _Run(
            "pet-mr-simulated",
            mr,
            pet,
            FusionSettings(moving_window="pet", colour="PET-Heat"),
        ),
    ]


def _fuse(each: _Run, folder: Path, force: bool) -> Result:
    """Read, fuse and write one pair, as the command that is printed would."""
    output = folder / each.name
    sources = [folder / "sources" / _file_name(volume) for volume in (each.fixed, each.moving)]
    _say(f"\n$ wdualmine fuse {shlex.join(_words(each, sources, output, force))}")
    with ConsoleProgress() as progress:
        fixed, moving = map(read, sources)
        steps = fuse_steps(fixed, moving, each.settings, registration=each.registration)
        result = finish(steps, progress.part(0, 0.7))
        result = result.with_measures(finish(result.measure_steps(), progress.part(0.7, 0.85)))
        report = write_folder(
            result,
            output,
            force=force,
            extras=[overview(result)],
            progress=progress.part(0.85, 1),
        )
    say(output, report, result.alignment.warning)
    return result


def _words(each: _Run, sources: list[Path], output: Path, force: bool) -> list[str]:
    """The command line that does the same."""
    words = [*map(str, sources), "-o", str(output)]
    if each.registration != "none":
        words += ["--registration", each.registration]
    for role, window in (
        ("fixed", each.settings.fixed_window),
        ("moving", each.settings.moving_window),
    ):
        if window != "auto":
            told = window if isinstance(window, str) else ",".join(f"{end:g}" for end in window)
            words += [f"--{role}-window", told]
    if each.settings.colour is not None:
        words += ["--colour", str(each.settings.colour)]
    return words + (["--force"] if force else [])


def _file_name(volume: Volume) -> str:
    return volume.name.lower().replace(" ", "-") + ".nrrd"
