"""What the Extensions Index and its reviewers ask for: docs/extensions-index.md.

After scripts/check_description_files.py and the checklist for new extensions in Slicer's
ExtensionsIndex, as they were in 2026.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULE_PAGE = (ROOT / "docs" / "module.md").read_text(encoding="utf-8")
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
CATALOG = json.loads((ROOT / "WDualMine.json").read_text(encoding="utf-8"))
SCREENSHOTS = ROOT / "Resources" / "Screenshots"

# Of the index's own list, those that such a module could be in.
CATEGORIES = {"Filtering", "Neuroimaging", "Nuclear Medicine", "Quantification", "Registration"}
MOST_BYTES, LARGEST_BYTES = 20 << 20, 3 << 20
INSTALLERS = {"pip_install", "pip_ensure", "installTorch", "pip_uninstall"}


def set_in_cmake(name: str) -> str:
    """What the index's own pattern finds, which takes one line in quotes only."""
    found = re.findall(rf'set\s*\(EXTENSION_{name}\s*"([^"]+)"[ ]*\)', CMAKE)
    assert len(found) == 1, f"EXTENSION_{name} is there {len(found)} times"
    return found[0]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    names = listed.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_the_category_is_one_of_theirs() -> None:
    assert CATALOG["category"] in CATEGORIES


def test_the_repository_is_named_after_slicer_and_reached_by_https() -> None:
    assert CATALOG["scm_url"].startswith("https://")
    assert re.search(r"/Slicer\w*WDualMine\.git$", CATALOG["scm_url"])


def test_the_entry_is_plain_json_under_the_projects_name() -> None:
    project = re.search(r"project\s*\(\s*([^\s)]+)", CMAKE).group(1)
    assert (ROOT / f"{project}.json").is_file()


def test_the_description_is_one_or_two_sentences_for_anybody() -> None:
    said = set_in_cmake("DESCRIPTION")
    assert 1 <= len(re.findall(r"[.!?](?:\s|$)", said)) <= 2, said
    assert len(said) < 300
    for word in ("wavelet", "tensor", "residual", "arbitration"):
        assert word not in said.lower()
    assert "not for diagnosis" in said.lower()


def test_icon_and_screenshots_are_pictures_of_a_size_that_can_be_seen() -> None:
    icon = set_in_cmake("ICONURL")
    shots = set_in_cmake("SCREENSHOTURLS").split()
    assert len(shots) >= 2
    for url in (icon, *shots):
        assert url.startswith("https://raw.githubusercontent.com/") and url.endswith(".png")
        with Image.open(ROOT / url.split("/main/")[1]) as picture:
            assert picture.format == "PNG"
            if url != icon:
                assert min(picture.size) >= 200, url


def test_the_pictures_of_the_panel_show_the_panel_of_today() -> None:
    """Otherwise: make pictures."""
    ui = (ROOT / "WDualMine" / "Resources" / "UI" / "WDualMine.ui").read_bytes()
    now = hashlib.sha256(ui).hexdigest()
    pictures = sorted(SCREENSHOTS.glob("panel-*.png"))
    assert len(pictures) > 10
    stale = []
    for path in pictures:
        with Image.open(path) as picture:
            if picture.info.get("ui") != now:
                stale.append(path.name)
    assert not stale, "run `make pictures ONLY=panel`: these show another panel"


def test_how_each_picture_is_made_is_written_down() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Pictures")[1]
    rows = re.findall(r"^\| (?:`(\w+)`)? ?\| `([\w*-]+)` \|", page.split("## ")[0], re.MULTILINE)
    assert {path.stem for path in SCREENSHOTS.glob("*.png")} == {
        path.stem for _, name in rows for path in SCREENSHOTS.glob(f"{name}.png")
    }
    program = (ROOT / "Testing" / "make_screenshots.py").read_text(encoding="utf-8")
    parts = re.findall(r"^def (\w+)\(folder", program, re.MULTILINE)
    assert [part for part, _ in rows if part] == [part for part in parts if part != "main"]


def test_the_licence_is_apaches_and_the_readme_says_so() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text and "Version 2.0" in text and "Grant of Patent License" in text
    assert re.search(r"Licen[cs]e: \[Apache 2\.0\]\(LICENSE\)", README)


def test_the_readme_has_what_a_homepage_needs() -> None:
    title, description = README.split("\n\n")[:2]
    assert title == "# WDualMine"
    assert len(re.findall(r"[.!?](?:\s|\*|$)", description)) <= 3, "a short description"
    assert re.search(r"!\[[^\]]+\]\(Resources/Screenshots/", README.split("## ")[0]), "a picture"
    assert "one module, *WDualMine*" in README, "every module in a sentence"
    assert "(docs/module.md)" in README and "Sample Data" in README
    assert "arxiv.org/abs/2601.08920" in README and "cite the paper" in README


def test_the_tutorial_goes_step_by_step_in_pictures_that_exist() -> None:
    tutorial = MODULE_PAGE.split("## Tutorial")[1].split("\n## ")[0]
    steps = [int(n) for n in re.findall(r"^\*\*(\d)\. ", tutorial, re.MULTILINE)]
    assert steps == list(range(1, len(steps) + 1)) and len(steps) >= 5
    assert "Sample Data" in tutorial
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", tutorial)
    assert len(pictures) >= 6
    for words, target in pictures:
        assert words and (ROOT / "docs" / target).is_file(), target


def test_every_picture_of_the_module_page_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", MODULE_PAGE):
        assert target.startswith("http") or (ROOT / "docs" / target).exists(), target


def test_the_checklist_names_the_topic_and_what_is_left_to_do() -> None:
    page = (ROOT / "docs" / "extensions-index.md").read_text(encoding="utf-8")
    assert "3d-slicer-extension" in page
    for name in re.findall(r"`(Testing/[\w/.]+\.py)`", page):
        assert (ROOT / name).is_file(), name


def test_no_file_is_large() -> None:
    sizes = {path: path.stat().st_size for path in tracked()}
    largest = max(sizes, key=sizes.__getitem__)
    assert sizes[largest] <= LARGEST_BYTES, f"{largest}: {sizes[largest]} bytes"
    assert sum(sizes.values()) <= MOST_BYTES


def test_packages_are_installed_in_one_place_by_the_button_alone() -> None:
    """Whoever calls an installer is the method that the button calls, or one below it."""
    callers = []
    for path in (ROOT / "WDualMine").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in INSTALLERS:
                    callers.append((path.name, function.name))
    assert callers, "nothing installs anything: has it been renamed?"
    assert {name for name, _ in callers} == {"dependencies.py"}, callers
    assert all("install" in function for _, function in callers), callers
