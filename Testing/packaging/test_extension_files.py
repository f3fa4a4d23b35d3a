"""CMakeLists.txt, WDualMine.json and WDualMine.s4ext describe one and the same extension."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Extensions Index schema 1.0.2 allows these keys and no others.
SCHEMA_KEYS = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "dicom_support_rule": str,
    "enabled": bool,
    "tier": int,
}


@pytest.fixture(scope="module")
def catalog() -> dict:
    return json.loads((ROOT / "WDualMine.json").read_text())


@pytest.fixture(scope="module")
def s4ext() -> dict[str, str]:
    lines = (ROOT / "WDualMine.s4ext").read_text().splitlines()
    pairs = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


@pytest.fixture(scope="module")
def cmake() -> dict[str, str]:
    text = (ROOT / "CMakeLists.txt").read_text()
    values = dict(re.findall(r'set\(EXTENSION_(\w+) "([^"]*)"\)', text))
    values["PROJECT"] = re.search(r"project\((\w+)\)", text).group(1)
    return values


def test_the_catalog_entry_follows_its_schema(catalog: dict) -> None:
    assert catalog["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.2.json#")
    assert {"$schema", "category", "scm_url"} <= set(catalog) <= set(SCHEMA_KEYS)
    for key, value in catalog.items():
        assert isinstance(value, SCHEMA_KEYS[key]), key
    assert 1 <= catalog["tier"] <= 5


def test_the_three_descriptions_agree(catalog: dict, s4ext: dict, cmake: dict) -> None:
    assert cmake["PROJECT"] == "WDualMine"
    assert catalog["scm_url"] == s4ext["scmurl"] == cmake["HOMEPAGE"] + ".git"
    assert catalog["scm_revision"] == s4ext["scmrevision"]
    assert catalog["build_subdirectory"] == s4ext["build_subdirectory"]
    assert catalog["category"] == s4ext["category"] == cmake["CATEGORY"]
    assert catalog["build_dependencies"] == s4ext["depends"].split() == cmake["DEPENDS"].split()
    assert catalog["enabled"] == (s4ext["enabled"] == "1")
    for key in ("HOMEPAGE", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS"):
        assert s4ext[key.lower()] == cmake[key]


def test_icon_and_screenshots_are_in_the_repository(cmake: dict) -> None:
    shown = {Path(url).name for url in cmake["SCREENSHOTURLS"].split()}
    assert {"panel-done.png", "inspect-side-by-side.png"} <= shown
    slug = cmake["HOMEPAGE"].removeprefix("https://github.com/")
    for url in [cmake["ICONURL"], *cmake["SCREENSHOTURLS"].split()]:
        name = re.fullmatch(rf"https://raw\.githubusercontent\.com/{slug}/main/(.+)", url).group(1)
        assert (ROOT / name).is_file(), f"{url} names a file that is not in the repository"


def test_the_icon_is_128_pixels_square(cmake: dict) -> None:
    header = (ROOT / "Resources" / "WDualMine.png").read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", header[16:24]) == (128, 128)


@pytest.fixture(scope="module")
def home():
    """The program that gives the repository its home."""
    spec = importlib.util.spec_from_file_location("home", ROOT / ".ci" / "home.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_home_is_named_and_in_three_files_only(home) -> None:
    named = home.named_in(ROOT)
    (one,) = set().union(*named.values())
    assert set(map(frozenset, named.values())) == {frozenset({one})}
    listed = subprocess.run(
        ["git", "grep", "-lF", f"github.com/{one}"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode > 1:
        pytest.skip("this is no git checkout")
    allowed = {*home.FILES, "docs/extensions-index.md"}  # the page says what is to be filled in
    assert set(listed.stdout.split()) <= allowed


def test_a_placeholder_is_told_where_people_read(home) -> None:
    """And not any more once it is none."""
    is_placeholder = home.named_in(ROOT)["WDualMine.json"] == {home.PLACEHOLDER}
    page = (ROOT / "docs" / "extensions-index.md").read_text(encoding="utf-8")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert ("name a placeholder" in readme) == is_placeholder
    assert (f"github.com/{home.PLACEHOLDER}" in page) == is_placeholder


def test_moving_leaves_no_address_behind(home, tmp_path) -> None:
    for name in home.FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    before = {name: (tmp_path / name).read_text() for name in home.FILES}
    (old,) = home.named_in(tmp_path)["WDualMine.json"]
    home.move(tmp_path, "some-lab/SlicerWDualMine")
    for name, text in before.items():
        moved = (tmp_path / name).read_text()
        assert moved == text.replace(f".com/{old}", ".com/some-lab/SlicerWDualMine"), name
        assert moved != text
    with pytest.raises(ValueError, match="OWNER/Slicer"):
        home.move(tmp_path, "some-lab")
