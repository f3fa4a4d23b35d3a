"""The files for SLURM and Kubernetes name commands and options that there are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from WDualMineLib.cli.main import build_parser

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed (comes with dask)")

FILES = Path(__file__).resolve().parents[3] / "docs" / "batch"


def test_kubernetes_job_is_a_command_that_parses():
    parts = list(yaml.safe_load_all((FILES / "kubernetes.yaml").read_text()))
    (job,) = (part for part in parts if part["kind"] == "Job")
    command = job["spec"]["template"]["spec"]["containers"][0]["command"]
    options = build_parser("batch").parse_args(command[1:])
    services = {part["metadata"]["name"] for part in parts if part["kind"] == "Service"}
    assert options.scheduler == f"tcp://{services.pop()}:8786"


def test_slurm_times_are_such_as_dask_reads():
    """Not as SLURM writes them: "3h50m" ends every worker at its start."""
    utils = pytest.importorskip("dask.utils", reason="dask is not installed (extra [batch])")
    words = [node.value for node in ast.walk(ast.parse((FILES / "slurm.py").read_text()))
             if isinstance(node, ast.Constant) and isinstance(node.value, str)]  # fmt: skip
    for option in ("--lifetime", "--lifetime-stagger"):
        assert utils.parse_timedelta(words[words.index(option) + 1]) >= 60
