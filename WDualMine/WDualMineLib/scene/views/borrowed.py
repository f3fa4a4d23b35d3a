"""What the module changed in the user's window and gives back: layout, cursor, links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import slicer


@dataclass(frozen=True)
class _Loan:
    read: Callable[[], Any]
    write: Callable[[Any], None]
    before: Any
    ours: Any


class Borrowed:
    """Remembers what there was; whatever the user changed meanwhile is the user's and stays."""

    def __init__(self) -> None:
        self._loans: dict[str, _Loan] = {}

    def take(
        self, what: str, read: Callable[[], Any], write: Callable[[Any], None], ours: Any
    ) -> None:
        """Change something for a while.

        Args:
            what: its name; taking it again changes what is shown, and not what is given back.
            read: what it is now; compared by equality.
            write: makes it something.
            ours: what it is to be.
        """
        known = self._loans.get(what)
        still_ours = known is not None and known.read() == known.ours
        before = known.before if known is not None and still_ours else read()
        write(ours)
        self._loans[what] = _Loan(read, write, before, ours)

    def give_back(self) -> None:
        """Make everything what it was, unless the user changed it since it was taken."""
        loans, self._loans = self._loans, {}
        for loan in loans.values():
            if loan.read() == loan.ours:
                loan.write(loan.before)


def borrow_layout(borrowed: Borrowed, layout: slicer.vtkMRMLLayoutNode, arrangement: int) -> None:
    """Show another arrangement of the views until the user's is given back."""
    borrowed.take("layout", layout.GetViewArrangement, layout.SetViewArrangement, arrangement)
