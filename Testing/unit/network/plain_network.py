"""W-DUALMINE as plainly as it can be written: what the fast formulation has to agree with.

Every part is a function of the module that holds its weights. Nothing here is fast.
"""

import torch
from torch.nn import functional as F
from WDualMineLib.network import edge_refinement as edges
from WDualMineLib.network.decoder import replace_untrusted
from WDualMineLib.network.layers import activation, garrote, upsample
from WDualMineLib.network.padding import crop
from WDualMineLib.network.reliability import convict
from WDualMineLib.network.standardisation import standardised_average
from WDualMineLib.network.statistics import AIR


def fused_plainly(model, a, b, statistics, reliability):
    """Residual and arbitration of (N, 1, H, W) slices."""
    size = a.shape[2:]
    a, b, reliability = (model._padded(x) for x in (a, b, reliability))
    features_a, features_b = encoded(model.encoder, a, b)
    weights = [F.avg_pool2d(reliability, 2**s) for s in range(1, len(features_a) + 1)]
    features_a = [2 * w * x for x, w in zip(features_a, weights, strict=True)]
    features_b = [2 * (1 - w) * x for x, w in zip(features_b, weights, strict=True)]
    spatial, context = by_space(model.spatial_expert, features_a, features_b)
    frequency = by_frequency(model.frequency_expert, features_a[0], features_b[0])
    part = model.arbitration
    margin = slope(spatial) - slope(frequency)
    arbitration = torch.sigmoid(part.log_gain.exp() * margin + part.bias)
    z = arbitration * spatial + (1 - arbitration) * frequency

    conviction = convict(reliability)
    drive, pursuit = decoded(model.decoder, a, b, statistics, conviction, z, context)
    average = (a + b) / 2
    fused = average + model.config.alpha * torch.tanh(drive)
    fused = refined(model.refinement, fused, a, b, (1 + conviction) / 2, pursuit)
    residual = (fused - average).clamp(-model.config.alpha, model.config.alpha)
    return crop(residual, size), crop(upsample(arbitration, a.shape[2:]), size)


def convolved(part, x, reach=1):
    """Any convolution over a border that goes on outside."""
    x = F.pad(x, (reach,) * 4, mode="replicate")
    return F.conv2d(x, part.weight, part.bias, part.stride, groups=part.groups)


def bands_of(transform, x):
    n, c, h, w = x.shape
    x, overlap = x.reshape(n * c, 1, h, w), transform._overlap
    if overlap:
        before, after = transform._before, overlap - transform._before
        x = F.pad(x, (before, after, before, after), mode="circular")
    return F.conv2d(x, transform.bank, stride=2).reshape(n, c, 4, h // 2, w // 2)


def encoded(part, a, b):
    bands = bands_of(part.stem, torch.cat([a, b])).flatten(1, 2) / 2
    strength = F.avg_pool2d(bands[:, 1:].abs(), 5, 1, 2, count_include_pad=False)
    activity = torch.log1p(strength / 0.01) / 4
    tissue = (bands[:, :1] > AIR / 2).float()
    usual = (activity * tissue).sum((2, 3), keepdim=True)
    usual = usual / tissue.sum((2, 3), keepdim=True).clamp_min(1)
    activity = torch.cat([activity, activity - usual], 1)
    x, features = beside(bands), []
    for number, (entry, block) in enumerate(zip(part.entries, part.blocks, strict=True)):
        x = convolved(entry, x)
        if number == 0:
            x = x + F.conv2d(beside(activity), part.liveliness.weight)
        x = activation(x)
        x = x + convolved(block.second, activation(convolved(block.first, x)))
        features.append(x)
    return zip(*(x.chunk(2) for x in features), strict=True)


def beside(x):
    return torch.cat([x, x.roll(len(x) // 2, 0)], 1)


def by_space(part, features_a, features_b):
    merged = [
        activation(F.conv2d(torch.cat([a + b, torch.maximum(a, b)], 1), m.mix.weight, m.mix.bias))
        for m, a, b in zip(part.merges, features_a, features_b, strict=True)
    ]
    context = x = part.context(merged.pop())
    for hint, ascent in reversed(list(zip(part.hints, part.ascents, strict=True))):
        fine = merged.pop()
        x = F.conv2d(activation(x), hint.weight, hint.bias)
        x = convolved(ascent, activation(fine + upsample(x, fine.shape[2:])))
    return x, context


def by_frequency(part, a, b):
    n, c, h, w = a.shape
    bands_a, bands_b = bands_of(part.transform, a), bands_of(part.transform, b)
    low = (bands_a[:, :, 0] + bands_b[:, :, 0]) / 2
    detail_a, detail_b = (
        x[:, :, 1:].transpose(1, 2).reshape(n, 3 * c, h // 2, w // 2) for x in (bands_a, bands_b)
    )
    activity = [convolved(part.activity, x.abs()) for x in (detail_a, detail_b)]
    choice = torch.sigmoid(activity[0] - activity[1])
    detail = choice * detail_a + (1 - choice) * detail_b
    low = low + convolved(part.low, activation(low))
    detail = detail + convolved(part.detail, detail)
    bands = torch.cat([low[:, None], detail.reshape(n, 3, c, h // 2, w // 2)], 1)
    return part.transform.inverse(bands.transpose(1, 2))


def slope(x):
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    across = (x[:, :, 1:-1, 2:] - x[:, :, 1:-1, :-2]) / 2
    down = (x[:, :, 2:, 1:-1] - x[:, :, :-2, 1:-1]) / 2
    return torch.sqrt(across**2 + down**2 + 1e-8).mean(1, keepdim=True)


def decoded(part, a, b, statistics, conviction, z, context):
    n, _, h, w = z.shape
    detail = part.transform.inverse(convolved(part.to_bands, z).reshape(n, part.detail, 4, h, w))
    surroundings = upsample(part.to_surroundings(context), a.shape[2:])
    guided = part.guide(torch.cat([detail, surroundings], 1))
    addition = garrote(guided[:, :1], part.log_threshold.exp())
    average = (a + b) / 2
    a, b = replace_untrusted(a, b, conviction, statistics)
    shift = standardised_average(a, b, statistics.deviations) - (a + b) / 2
    transferred, gains = part.transfer(a, b, statistics)
    of_contrast, of_shift = (part.gains + gains).split(1, 1)
    drive = transferred + of_contrast * (a - b).abs() + of_shift * shift + addition
    drive = drive + (a + b) / 2 - average
    opening = torch.tanh(average * (2 / AIR))
    return opening * drive, 2 * opening * torch.sigmoid(guided[:, 1:])


_FILTERS = torch.tensor([[[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]])


def sobel(x):
    """(N, 1, H + 2, W + 2) -> (N, 2, H, W), by convolution."""
    filters = -torch.cat([_FILTERS, _FILTERS.transpose(1, 2)])[:, None]
    return F.conv2d(x, filters.to(x.dtype))


def refined(part, fused, a, b, w_a, pursuit):
    sources, change = [edge_of(a), edge_of(b)], torch.zeros_like(fused)
    for step in range(part.steps):
        gradient = sobel(F.pad(fused + change, (1, 1, 1, 1), mode="replicate"))
        pull_a, pull_b = (pull_of(*source, gradient) for source in sources)
        pull = F.pad(w_a * pull_a + (1 - w_a) * pull_b, (1, 1, 1, 1))
        ascent = -(sobel(pull[:, :1])[:, :1] + sobel(pull[:, 1:])[:, 1:])
        ascent = 2 * part.log_rates[step].exp() * ascent
        change = change + pursuit[:, step : step + 1] * ascent.clamp(
            -edges._LONGEST, edges._LONGEST
        )
        change = garrote(change, part.log_thresholds[step].exp())
    return fused + change


def edge_of(x):
    gradient = sobel(F.pad(x, (1, 1, 1, 1), mode="replicate"))
    strength = torch.sqrt((gradient**2).sum(1, keepdim=True) + edges._FLAT**2)
    return gradient / strength, strength


def kept_of(direction, strength, gradient):
    """How far a gradient keeps an edge, in [0, 1]."""
    own = torch.sqrt((gradient**2).sum(1, keepdim=True) + edges._FLAT**2)
    closeness = torch.minimum(own / strength, strength / own)
    cosine = (gradient * direction).sum(1, keepdim=True) / own
    return torch.sigmoid(15 * (closeness - 0.5)) * torch.sigmoid(24 * (cosine**2 - 0.9))


def pull_of(direction, strength, gradient):
    """Derivative of ``strength * kept`` by the gradient."""
    with torch.enable_grad():
        gradient = gradient.detach().requires_grad_()
        kept = strength.detach() * kept_of(direction.detach(), strength.detach(), gradient)
        return torch.autograd.grad(kept.sum(), gradient)[0].detach()
