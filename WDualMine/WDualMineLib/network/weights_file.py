"""A weights file before it is loaded: whole, and no larger than it says.

PyTorch writes weights as a ZIP archive with a checksum for every record, and reads them without
looking at it: a flipped bit would become another network.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

# Records are stored as they are; an archive that unpacks to much more is none of PyTorch's.
_MOST_RATIO = 4
_MOST_BYTES = 1 << 30


class DamagedWeights(Exception):
    """The file is no archive, is cut short, or contradicts its checksums."""


def require_intact(path: Path) -> None:
    """Compare every record of ``path`` with its checksum.

    Raises:
        DamagedWeights: see there.
        OSError: no such file, or no permission.
    """
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(record.file_size for record in archive.infolist())
            if unpacked > min(_MOST_RATIO * size, _MOST_BYTES):
                raise DamagedWeights("it unpacks to more than it can hold")
            if (name := archive.testzip()) is not None:
                raise DamagedWeights(f"its part {name} contradicts its checksum")
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise DamagedWeights(str(error)) from error
    except (
        RuntimeError,
        KeyError,
        UnicodeDecodeError,
    ) as error:  # encrypted, or a broken directory
        raise DamagedWeights(str(error)) from error
