"""Which volumes there are, where each comes from, and what it may be used for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One file inside a wheel of the Python Package Index.

    Attributes:
        name: what the volume is called in files and scenes.
        modality: DICOM-style code of what it holds.
        package: distribution and the version pinned, as pip writes it.
        member: path of the file inside the wheel.
        sha256: of that file.
        source: one line that names and credits it.
    """

    name: str
    modality: str
    package: str
    member: str
    sha256: str
    source: str

    @property
    def file_name(self) -> str:
        return self.member.rsplit("/", 1)[-1]


_NILEARN = "nilearn==0.14.1"
_ICBM = (
    "MNI ICBM152 2009a nonlinear symmetric template at 1 mm, brain only (Fonov et al. 2011), "
    "as packaged by nilearn"
)

MR_T1 = Sample(
    "MR T1 template",
    "MR",
    _NILEARN,
    "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
    "421a10e872fd6cadae7f61d358dffbcc1795a497d61ee76c5dda2503e1a1e9e6",
    f"T1: {_ICBM}",
)
GREY_MATTER = Sample(
    "Grey matter map",
    "MR",
    _NILEARN,
    "nilearn/datasets/data/mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz",
    "97a5ca69bd24db37a9cb7b32525e1733a209af904129bf1cd36da06d24243bed",
    f"grey matter: {_ICBM}",
)
WHITE_MATTER = Sample(
    "White matter map",
    "MR",
    _NILEARN,
    "nilearn/datasets/data/mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz",
    "382d92812de4744f9c86c7a0e4f680dc317a0a50e4da1f0153618a6798c7b7db",
    f"white matter: {_ICBM}",
)
CT_BRAIN = Sample(
    "CT brain template",
    "CT",
    "totalsegmentator==2.18.0",
    "totalsegmentator/resources/ct_brain_atlas_1mm.nii.gz",
    "e6964149f62ae88b9973cec43ed80974368a24c922ff8b62d946e7c855eae265",
    "CT: average of several brains in HU at 1 mm, skull removed, as packaged by TotalSegmentator "
    "(Apache-2.0)",
)
