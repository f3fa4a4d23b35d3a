"""The differentiable measures against the measures themselves."""

import numpy as np
import pytest
import torch
from scipy import interpolate, ndimage
from WDualMineLib.lab.training.losses.correlation import correlation_floor, pearson, scd
from WDualMineLib.lab.training.losses.edges import qabf
from WDualMineLib.lab.training.losses.information import fused_information, mutual_information
from WDualMineLib.lab.training.losses.structure import ssim, vif
from WDualMineLib.quality import metrics
from WDualMineLib.quality.similarity import ssim_pair


@pytest.fixture
def images():
    """Fused, a, b: (2, 1, 96, 96), smooth with edges, in grey levels of 255."""
    rng = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(rng.random((3, 2, 96, 96)), (0, 0, 2, 2))
    texture = (texture - texture.min()) / np.ptp(texture)
    texture[..., 40:] *= 0.6
    return [torch.from_numpy(np.round(x * 255) / 255).float()[:, None] for x in texture]


def measured(function, *images):
    return [
        function(*(np.round(x[i, 0].numpy() * 255) for x in images)) for i in range(len(images[0]))
    ]


def test_information_is_that_of_a_parzen_histogram():
    other, source = np.random.default_rng(0).random((2, 64, 64)).astype(np.float32)
    fused = 0.8 * source + 0.2 * other
    bins = 16
    kernel = interpolate.BSpline.basis_element(np.arange(-2, 3), extrapolate=False)
    centres = np.arange(-1, bins + 1)
    joint = np.zeros((bins, len(centres)))
    for x, y in zip(fused.ravel() * (bins - 1), source.ravel() * (bins - 1), strict=True):
        joint[round(float(y))] += np.nan_to_num(kernel(x - centres)) / fused.size
    expected = sum(
        -(p[p > 0] * np.log2(p[p > 0])).sum() * sign
        for p, sign in ((joint.sum(0), 1), (joint.sum(1), 1), (joint, -1))
    )

    images = (torch.from_numpy(x)[None, None] for x in (fused, source))
    soft = mutual_information(*images, bins)

    # Shares of less than a quarter of a pixel count a little less than in full.
    np.testing.assert_allclose(soft, expected, rtol=0.03)


def test_information_follows_the_measure(images):
    fused, a, b = images
    mixes = [(1 - t) * fused + t * a for t in (0.0, 0.7, 0.9, 1.0)]

    soft = torch.stack([fused_information(x, a, b, 256) for x in mixes])
    hard = np.array([measured(metrics.mi, x, a, b) for x in mixes])

    assert (np.diff(hard, axis=0) > 0).all()
    assert (np.diff(soft.numpy(), axis=0) > 0).all()


def test_information_falls_with_noise_and_has_a_gradient(images):
    fused, a, _ = images
    noisy = (
        fused + 0.1 * torch.randn(fused.shape, generator=torch.Generator().manual_seed(0))
    ).clamp(0, 1)
    fused = fused.clone().requires_grad_()

    information = mutual_information(fused, fused.detach(), 64)
    information.sum().backward()

    assert (mutual_information(noisy, fused.detach(), 64) < information).all()
    assert torch.isfinite(fused.grad).all() and fused.grad.abs().sum() > 0
    assert mutual_information(a, torch.zeros_like(a)).abs().max() < 1e-4


def test_edges_are_close_to_the_measure(images):
    fused, a, b = images

    np.testing.assert_allclose(qabf(fused, a, b), measured(metrics.qabf, fused, a, b), atol=0.05)
    # A fused image that is one of two equal sources keeps every edge.
    np.testing.assert_allclose(qabf(a, a, a), 0.975, atol=0.005)


def test_similarity_is_the_measure(images):
    fused, a, _ = images

    np.testing.assert_allclose(ssim(fused, a), measured(ssim_pair, fused, a), atol=1e-4)


def test_fidelity_is_close_to_the_measure(images):
    fused, a, b = images

    summed = vif(fused, a) + vif(fused, b)

    np.testing.assert_allclose(summed, measured(metrics.vif, fused, a, b), rtol=0.05)


def test_differences_are_the_measure(images):
    fused, a, b = images

    np.testing.assert_allclose(
        scd(fused, a, b)[:, 0], measured(metrics.scd, fused, a, b), atol=1e-5
    )


@pytest.mark.parametrize("floor", [0.95, 0.985, 0.997])
def test_floor_is_reached_exactly(images, floor):
    fused, a, b = images

    raised = correlation_floor(fused, a, b, floor)

    ratio = measured(metrics.cc_ratio, raised * 1e4, a, b)
    before = measured(metrics.cc_ratio, fused * 1e4, a, b)
    for value, start in zip(ratio, before, strict=True):
        assert value == pytest.approx(max(floor, start), abs=1e-4)


def test_floor_leaves_what_is_above_it(images):
    _, a, b = images
    average = (a + b) / 2

    assert torch.equal(correlation_floor(average, a, b, 0.5), average)


def test_floor_of_blank_slices_is_finite():
    blank = torch.zeros(1, 1, 32, 32)

    assert torch.isfinite(correlation_floor(blank, blank, blank, 0.985)).all()


def test_pearson_of_a_constant_is_zero():
    x = torch.rand(1, 1, 8, 8)

    assert pearson(x, torch.ones_like(x)).abs() < 1e-3
