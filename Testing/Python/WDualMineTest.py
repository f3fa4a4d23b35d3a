"""Runs the module's test inside a real 3D Slicer and ends it with the result.

    Slicer --testing --no-splash --additional-module-paths WDualMine \\
        --python-script Testing/Python/WDualMineTest.py

Needs PyTorch and the packages of WDualMine/Resources/requirements.txt in that Slicer: open the
module once and press Install. No network, nobody at the mouse; the exit status is 0 if all went
well, else 1.
"""

from __future__ import annotations

import slicer

from WDualMine import WDualMineTest


def main() -> int:
    test = WDualMineTest()
    test.setUp()
    try:
        test.runTest()
    except AssertionError as error:
        print(error)
        return slicer.util.EXIT_FAILURE
    return slicer.util.EXIT_SUCCESS


slicer.util.exit(main())
