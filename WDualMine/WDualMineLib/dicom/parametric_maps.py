"""Reliability and arbitration maps as Parametric Map objects: floats, with quantity and unit."""

from __future__ import annotations

import inspect
import warnings
from copy import deepcopy

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code

from ..errors import InputError, OutputError
from ..version import __version__
from ..volumes.volume import Volume
from . import codes, kinds
from .derivation import Derivation, describe, instances_behind, list_series, source_images
from .modules import (
    MANUFACTURER,
    MODEL_NAME,
    SERIAL_NUMBER,
    Target,
    contributing_equipment,
    new_object,
    put_disclaimers,
    put_frame_of_reference,
)
from .planes import Planes, planes_of
from .series import SeriesKind, SeriesLabel


def parametric_map(
    volume: Volume, kind: SeriesKind, target: Target, derivation: Derivation, label: SeriesLabel
) -> Dataset:
    """One map as a multi-frame object of 32-bit floats, exactly the values given.

    Args:
        volume: scalar, in the range of ``kind``.
        kind: what it is.
        target, derivation: whose, and from what.
        label: of the new series.

    Raises:
        InputError: not finite, colour, or a sheared grid.
        OutputError: highdicom is not installed.
    """
    if volume.is_colour or not np.isfinite(volume.array).all():
        raise InputError(
            f"{volume.name} is no map of finite numbers", "Give the maps as a fusion writes them"
        )
    highdicom = _highdicom()
    planes = planes_of(volume)
    skeleton = new_object(
        target,
        derivation,
        sop_class_uid=kinds.PARAMETRIC_MAP,
        modality="OT",
        series=kind.name,
        label=label,
    )
    with warnings.catch_warnings():
        # highdicom doubts names and units that the sources or the standard give.
        warnings.simplefilter("ignore")
        dataset = highdicom.pm.ParametricMap(
            source_images=_sources(skeleton, planes, target, derivation),
            pixel_array=np.ascontiguousarray(planes.array, dtype=np.float32),
            series_instance_uid=skeleton.SeriesInstanceUID,
            series_number=label.number,
            sop_instance_uid=skeleton.SOPInstanceUID,
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL_NAME,
            software_versions=__version__,
            device_serial_number=SERIAL_NUMBER,
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[_identity(highdicom, kind)],
            content_label=kind.label,
            content_description=label.description,
            plane_positions=[
                highdicom.PlanePositionSequence("PATIENT", list(map(float, planes.position(k))))
                for k in range(len(planes.array))
            ],
            plane_orientation=highdicom.PlaneOrientationSequence(
                "PATIENT", list(map(float, planes.orientation))
            ),
            pixel_measures=highdicom.PixelMeasuresSequence(
                pixel_spacing=list(map(float, planes.pixel_spacing)),
                slice_thickness=float(planes.thickness),
                spacing_between_slices=float(planes.thickness),
            ),
            **_full_range_window(highdicom, kind),
        )
    for element in skeleton:
        if element.tag not in dataset or not dataset[element.tag].value:
            dataset[element.tag] = element
    # highdicom lists this software among the contributing equipment as well.
    if "ContributingEquipmentSequence" in dataset:
        del dataset.ContributingEquipmentSequence
    if equipment := contributing_equipment(derivation):
        dataset.ContributingEquipmentSequence = equipment
    put_disclaimers(dataset, derivation)
    _put_sources(dataset, planes, target, derivation)
    return dataset


def _highdicom():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import highdicom
            import highdicom.pm
    except ImportError as error:
        raise OutputError(
            f"The maps cannot be written to DICOM, highdicom does not load ({error})",
            "Install it (pip install highdicom), or export without the maps",
        ) from error
    return highdicom


def _sources(
    skeleton: Dataset, planes: Planes, target: Target, derivation: Derivation
) -> list[Dataset]:
    """Images for highdicom to take patient, study and grid from; they are never referred to."""
    source = deepcopy(skeleton)
    source.SOPClassUID = kinds.MR
    source.SeriesInstanceUID = target.uids.of("grid")
    put_frame_of_reference(source, target, derivation.fixed)
    source.Rows, source.Columns = planes.array.shape[1:3]
    source.ImageType = ["DERIVED", "SECONDARY"]
    sources = []
    for k in range(len(planes.array)):
        image = deepcopy(source)
        image.SOPInstanceUID = target.uids.of("grid", k)
        planes.put(image, k)
        sources.append(image)
    return sources


def _identity(highdicom, kind: SeriesKind):
    """Stored value = real value, unitless, with the quantity in words."""
    return highdicom.pm.RealWorldValueMapping(
        lut_label=kind.label,
        lut_explanation=kind.meaning,
        unit=Code(*codes.NO_UNITS),
        value_range=kind.scale,
        slope=1.0,
        intercept=0.0,
        quantity_definition=Code(kind.label, codes.OWN_SCHEME, kind.meaning),
    )


def _full_range_window(highdicom, kind: SeriesKind) -> dict[str, object]:
    """highdicom took one window until 0.22 and takes a list of transformations since."""
    low, high = kind.scale
    centre, width = (low + high) / 2, high - low
    parameters = inspect.signature(highdicom.pm.ParametricMap.__init__).parameters
    if "voi_lut_transformations" in parameters:
        window = highdicom.VOILUTTransformation(window_center=centre, window_width=width)
        return {"voi_lut_transformations": [window]}
    return {"window_center": centre, "window_width": width}


def _put_sources(dataset: Dataset, planes: Planes, target: Target, derivation: Derivation) -> None:
    """Say for each frame which source instances it came from (Derivation Image macro)."""
    every = []
    to_index = np.linalg.inv(planes.geometry.ijk_to_lps)
    for group in dataset.PerFrameFunctionalGroupsSequence:
        if "DerivationImageSequence" in group:
            del group.DerivationImageSequence
        # highdicom puts the frames in an order of its own, the last slice first.
        position = group.PlanePositionSequence[0].ImagePositionPatient
        k = round(float((to_index @ [*map(float, position), 1.0])[2]))
        references = instances_behind(derivation, planes.geometry, k)
        if not references:
            continue
        item = Dataset()
        describe(item, derivation)
        item.SourceImageSequence = source_images(references)
        group.DerivationImageSequence = Sequence([item])
        every += [(instance, series) for instance, series, _ in references]
    for keyword in (
        "ReferencedSeriesSequence",
        "StudiesContainingOtherReferencedInstancesSequence",
        "SourceImageSequence",
    ):
        if keyword in dataset:
            delattr(dataset, keyword)
    list_series(dataset, every, target.study.uid)
