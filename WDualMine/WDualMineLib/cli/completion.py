"""Words of the command line completed by the shell, where argcomplete is installed.

In bash and zsh: ``eval "$(register-python-argcomplete wdualmine)"``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection


def complete(
    build: Callable[[str | None], argparse.ArgumentParser], commands: Collection[str]
) -> None:
    """Answer the shell and end, if it is the shell that asks; else do nothing.

    Args:
        build: the parser, with the options of one command.
        commands: their names.
    """
    if "_ARGCOMPLETE" not in os.environ:
        return
    try:
        import argcomplete
    except ImportError:
        return
    words = os.environ.get("COMP_LINE", "").split()[1:]
    command = next((word for word in words if word in commands), None)
    argcomplete.autocomplete(build(command))
