"""Pairs for Slicer's Sample Data module: real CT and MR, and MR with a simulated PET."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..background import Job, run_in_background
from ..errors import WDualMineError
from ..samples.catalogue import GREY_MATTER, MR_T1, WHITE_MATTER
from ..samples.download import fetch, load
from ..samples.simulated_pet import simulate_fdg_pet
from ..scene.result.volume_nodes import add_volume
from ..scene.views.slice_views import SliceViews
from ..volumes.volume import Volume
from .waiting import wait_for

CATEGORY = "WDualMine"
_STORE = "https://github.com/Slicer/SlicerTestingData/releases/download/SHA256/"
_CT = "6a5b6caccb76576a863beb095e3bfb910c50ca78f4c9bf043aa42f976cfa53d1"
_MR = "2da3f655ed20356ee8cdf32aa0f8f9420385de4b6e407d28e67f9974d7ce1593"


def register(
    logic: Any, scene: Any, icons: Path, tell: Callable[[str], Any], parent: Any = None
) -> None:
    """Make the pairs known.

    Args:
        logic: ``SampleData.SampleDataLogic``.
        scene: what the simulated pair is loaded into.
        icons: folder of the thumbnails.
        tell: shows the user why the simulated pair could not be loaded.
        parent: main window, over which the download shows how far it is.
    """

    def load_simulated(_source: Any) -> list[Any]:
        try:
            return load_simulated_pair(scene, parent)
        except WDualMineError as error:
            tell(str(error))
            return []

    logic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName="CT and MR of a head",
        uris=[_STORE + _MR, _STORE + _CT],
        fileNames=["MR-brain-T1.nrrd", "CT-brain.nrrd"],
        nodeNames=["MRBrainT1", "CTBrain"],
        checksums=[f"SHA256:{_MR}", f"SHA256:{_CT}"],
        thumbnailFileName=str(icons / "SampleCTMR.png"),
    )
    logic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName="MR and simulated PET of a brain",
        # Empty, and not left out: Slicer counts them.
        uris=[],
        fileNames=[],
        nodeNames=[],
        customDownloader=load_simulated,
        thumbnailFileName=str(icons / "SamplePETMR.png"),
    )


def load_simulated_pair(scene: Any, parent: Any = None) -> list[Any]:
    """Add the MR template and a PET that was simulated from its tissue maps, and show the MR.

    Returns:
        The nodes of both; none if the user cancelled.

    Raises:
        WDualMineError: the packaged volumes cannot be fetched.
    """
    pair = wait_for(run_in_background(_simulated_pair), "Fetching the volumes", parent)
    if pair is None:
        return []
    nodes = [add_volume(scene, volume) for volume in pair]
    SliceViews(scene).show(nodes[0])
    return nodes


def _simulated_pair(job: Job) -> tuple[Volume, Volume]:
    """MR and PET; touches no node, so that any thread may do it."""
    samples = (MR_T1, GREY_MATTER, WHITE_MATTER)
    job.report(0.1, "Fetching the volumes")
    paths = fetch(samples, check=job.check)
    job.report(0.7, "Reading the volumes")
    mr, grey, white = (load(sample, paths[sample]) for sample in samples)
    job.report(0.8, "Simulating the PET")
    return mr, simulate_fdg_pet(grey, white)
