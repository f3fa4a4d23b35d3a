"""Public registration tools behind one call, each with its own defaults."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ...registration.grids import to_image
from ...registration.transforms import matrix_of
from ...volumes.volume import Volume

Peer = Callable[[Volume, Volume, int], np.ndarray]
"""(fixed, moving, threads) -> 4x4 matrix from fixed to moving points, LPS mm."""


def plain_mattes(fixed: Volume, moving: Volume, threads: int) -> np.ndarray:
    """The registration of the SimpleITK guides: geometry, Mattes MI, three levels of shrinking."""
    a, b = (to_image(np.asarray(v.array, np.float32), v.geometry) for v in (fixed, moving))
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(
        sitk.CenteredTransformInitializer(
            a, b, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
        )
    )
    method.SetNumberOfThreads(threads)
    return matrix_of(method.Execute(a, b))


def elastix(fixed: Volume, moving: Volume, threads: int) -> np.ndarray:
    """itk-elastix with its default rigid parameters and automatic initialisation by geometry."""
    import itk

    a, b = (_itk_image(v) for v in (fixed, moving))
    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap(parameters.GetDefaultParameterMap("rigid"))
    parameters.SetParameter(0, "AutomaticTransformInitialization", "true")
    _, found = itk.elastix_registration_method(
        a, b, parameter_object=parameters, number_of_threads=threads, log_to_console=False
    )
    table = found.GetParameterMap(0)
    numbers = [float(x) for x in table["TransformParameters"]]
    transform = sitk.Euler3DTransform()
    transform.SetCenter([float(x) for x in table["CenterOfRotationPoint"]])
    transform.SetComputeZYX(table["ComputeZYX"][0] == "true")
    transform.SetParameters(numbers)
    return matrix_of(transform)


def ants(fixed: Volume, moving: Volume, threads: int) -> np.ndarray:
    """antspyx with type "Rigid" and its defaults."""
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(threads)
    import ants as antspy

    a, b = (
        antspy.from_numpy(
            np.ascontiguousarray(v.array.transpose(2, 1, 0), dtype=np.float32),
            origin=list(v.geometry.origin),
            spacing=list(v.geometry.spacing),
            direction=v.geometry.direction_matrix,
        )
        for v in (fixed, moving)
    )
    with tempfile.TemporaryDirectory() as folder:
        found = antspy.registration(
            a, b, type_of_transform="Rigid", outprefix=str(Path(folder) / "ants")
        )
        return matrix_of(sitk.ReadTransform(found["fwdtransforms"][0]))


PEERS: dict[str, Peer] = {"plain": plain_mattes, "elastix": elastix, "ants": ants}
NEEDS = {"elastix": "itk", "ants": "ants"}


def _itk_image(volume: Volume):
    import itk

    image = itk.image_from_array(np.ascontiguousarray(volume.array, dtype=np.float32))
    image.SetOrigin(list(volume.geometry.origin))
    image.SetSpacing(list(volume.geometry.spacing))
    image.SetDirection(itk.matrix_from_array(volume.geometry.direction_matrix))
    return image
