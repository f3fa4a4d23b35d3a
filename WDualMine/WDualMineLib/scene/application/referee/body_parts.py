"""Two volumes are there, and the module suggests what fits them: by body part."""

from __future__ import annotations

import numpy as np

from ...result.volume_nodes import add_volume
from ..phantom import heads, limbs
from .bench import Bench

_SIZE = (32, 36, 12)


def suggest(bench: Bench) -> None:
    """A thigh gets the soft tissue window, a head the brain window, a PET its colours."""
    for name, volumes, words in (
        ("thigh", limbs(_SIZE), "soft tissue window"),
        ("head", heads(_SIZE), "brain window"),
    ):
        mr, ct = volumes
        ct = ct.with_array(np.where(ct.array < 1, -1000, ct.array).astype(np.float32))
        nodes = [add_volume(bench.scene, volume) for volume in (mr, ct)]
        # As their names would tell by themselves: the content has to.
        for node, said in zip(nodes, ("Series 1", "Series 2"), strict=True):
            node.SetName(said)
        bench.widget.exit()
        bench.widget.enter()
        bench.hands.settle()
        shown = bench.ui.pairCombo.currentText
        bench.checks.that(
            shown.endswith(words), f"MR and CT of a {name} are suggested with the {words}", shown
        )
        bench.checks.that(
            bench.ui.fixedSelector.currentNode() is nodes[0]
            or bench.ui.fixedSelector.currentNode().GetID() == nodes[0].GetID(),
            f"the MR of the {name} is suggested as the fixed volume",
        )
        bench.checks.that(
            bench.ui.applyButton.enabled, "one click is left after a suggestion",
            bench.ui.applyButton.toolTip,
        )  # fmt: skip
        for node in nodes:
            bench.scene.RemoveNode(node)
        bench.hands.settle()
