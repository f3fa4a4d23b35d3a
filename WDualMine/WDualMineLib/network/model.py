"""W-DUALMINE: the parts put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .arbitration import Arbitration
from .compiled.readiness import to_use
from .content import Content
from .decoder import Decoder
from .edge_refinement import EdgeRefinement
from .encoder import Encoder
from .evidence import Evidence
from .frequency_expert import FrequencyExpert
from .layers import tanh, upsample
from .padding import crop, pad_to_multiple
from .reliability import convict, reliability_of, weigh
from .spatial_expert import SpatialExpert
from .statistics import JointStatistics, joint_statistics

_ALONE_MM = 4.0
"""Slice distance that an image without neighbours is taken to have."""


@dataclass(frozen=True)
class NetworkConfig:
    """What has to be equal for two sets of weights to fit the same network.

    Attributes:
        channels: features at scales 1/2, 1/4, ..., finest first.
        evidence: features of the evidence at 4, 8, ... mm, finest first.
        detail: channels that the arbitrated features bring to full resolution.
        surroundings: channels that the context brings to full resolution.
        hidden: width of the decoder's perceptron.
        refinements: steps of edge refinement.
        wavelet: orthogonal filter bank (a name pywt knows) of stem, frequency expert and decoder.
        alpha: the largest residual.
    """

    channels: tuple[int, ...] = (12, 24, 36, 48)
    evidence: tuple[int, ...] = (16, 24, 40, 64)
    detail: int = 6
    surroundings: int = 4
    hidden: int = 32
    refinements: int = 6
    wavelet: str = "haar"
    alpha: float = 1.0


class FusionMaps(NamedTuple):
    """What the network says of a batch of slices; each (N, 1, H, W).

    Attributes:
        residual: in [-alpha, alpha]; is added to the average of the slices.
        reliability_a, reliability_b: in [0, 1]; they sum to 1.
        arbitration: in [0, 1]; 1 where the spatial expert decides, 0 where the frequency one does.
    """

    residual: Tensor
    reliability_a: Tensor
    reliability_b: Tensor
    arbitration: Tensor


class DualMineNetwork(nn.Module):
    """Reliability-weighted dual-expert fusion of slice pairs.

    Source: "W-DUALMINE: Reliability-Weighted Dual-Expert Fusion With Residual Correlation
    Preservation for Medical Image Fusion", arXiv 2601.08920. Exchanging the inputs exchanges the
    reliabilities and leaves the rest as it was; that holds by construction.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or NetworkConfig()
        finest = config.channels[0]
        self.encoder = Encoder(config.channels, config.wavelet)
        self.evidence = Evidence(config.evidence)
        self.spatial_expert = SpatialExpert(config.channels)
        self.frequency_expert = FrequencyExpert(finest, config.wavelet)
        self.arbitration = Arbitration()
        self.decoder = Decoder(
            finest,
            config.channels[-1],
            config.detail,
            config.surroundings,
            config.hidden,
            config.refinements,
            config.wavelet,
        )
        self.refinement = EdgeRefinement(config.refinements)

    def forward(
        self,
        a: Tensor,
        b: Tensor,
        statistics: JointStatistics | None = None,
        reliability: Tensor | None = None,
    ) -> FusionMaps:
        """Maps from which the slices are fused: ``fused = (a + b) / 2 + strength * residual``.

        Args:
            a, b: (N, 1, H, W) in [0, 1], of any size from 1x1.
            statistics: of the volumes that a and b are slices of; by default of each slice. Give
                a volume's own, or neighbouring slices are fused by different functions.
            reliability: of a, (N, 1, H, W) in [0, 1], where the slices have neighbours that took
                part in it. By default both are trusted evenly, and the maps tell what the slices
                alone say (:meth:`judge`).

        Returns:
            Maps of the slices' own size.
        """
        size = a.shape[2:]
        if statistics is None:
            # Expectations stand in for what is not trusted, and nothing is distrusted unasked.
            statistics = joint_statistics(a, b, expected=reliability is not None)
        given = self.judge(a, b) if reliability is None else reliability
        a, b = self._padded(a), self._padded(b)
        # An image alone tells too little to be acted upon: its map is for the user to look at.
        conviction = None
        if reliability is not None:
            reliability = self._padded(reliability)
            conviction = convict(reliability)
        fused = (to_use(self, a) if self._as_built else None) or DualMineNetwork._fused
        residual, arbitration = fused(self, a, b, statistics, reliability, conviction)
        residual, arbitration = (crop(x, size) for x in (residual, arbitration))
        return FusionMaps(residual, given, 1 - given, arbitration)

    @property
    def _as_built(self) -> bool:
        """Whether no part was exchanged for another one, as ablation does."""
        parts = (self.arbitration, Arbitration), (self.refinement, EdgeRefinement)
        exchanged = any(type(part) is not kind for part, kind in parts)
        return not exchanged and self.base is DualMineNetwork.base

    def _fused(
        self,
        a: Tensor,
        b: Tensor,
        statistics: JointStatistics,
        reliability: Tensor | None,
        conviction: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Residual and arbitration, (N, 1, H, W) each, of padded slices."""
        features = self.encoder(a, b)
        if reliability is not None:
            features = weigh(features, reliability)
        spatial, context = self.spatial_expert(features)
        frequency = self.frequency_expert(features[0])
        z, arbitration = self.arbitration(spatial, frequency)

        arbitration = upsample(arbitration, a.shape[2:])
        content, alpha = Content.of(a, b), self.config.alpha
        a, b, z = (content.cut(x) for x in (a, b, z))
        trust = None
        if conviction is not None:
            conviction = content.cut(conviction)
            trust = (1 + conviction) / 2
        decoded = self.decoder(a, b, statistics, conviction, z, context, content)
        fused = self.base(a, b) + alpha * tanh(decoded.drive)
        fused = self.refinement(fused, a, b, trust, decoded.pursuit)
        return content.put_back((fused - (a + b) / 2).clamp(-alpha, alpha)), arbitration

    @staticmethod
    def base(a: Tensor, b: Tensor) -> Tensor:
        """What D's hyperbolic tangent is added to: the average of the slices (N, 1, H, W)."""
        return (a + b) / 2

    def judge(self, a: Tensor, b: Tensor) -> Tensor:
        """Reliability of ``a`` in slices that stand alone, taken to have pixels of 1 mm.

        Args:
            a, b: (N, 1, H, W) in [0, 1].

        Returns:
            (N, 1, H, W) in [0, 1]; 1/2 everywhere in a network without evidence.
        """
        if self.evidence is None:
            return torch.full_like(a, 0.5)
        stacks = [pad_to_multiple(x, self.evidence.multiple, 0) for x in (a, b)]
        distance = torch.full((len(a),), _ALONE_MM, device=a.device)
        scores = self.evidence(*stacks, distance)
        scores = (crop(upsample(x, stacks[0].shape[2:]), a.shape[2:]) for x in scores)
        return reliability_of(*scores, a, b)

    def _padded(self, x: Tensor) -> Tensor:
        multiple = 2 ** len(self.config.channels)
        # Longer filters than Haar's need room for their overlap at the last transform's input.
        room = self.encoder.stem.bank.shape[-1] * multiple // 2
        return pad_to_multiple(x, multiple, -(-room // multiple) * multiple)
