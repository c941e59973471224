"""RecM and RegM trained by two processes: what one trains."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from radgs_core.case import Case

PROGRAM = Path(__file__).parent / "level_program.py"

if not torch.distributed.is_available():
    pytest.skip("torch without torch.distributed", allow_module_level=True)


def weights(processes: int, case: Path, folder: Path) -> dict[str, torch.Tensor]:
    out = folder.with_suffix(".pt")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    done = subprocess.run(
        [*command, PROGRAM, case, folder, out],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return torch.load(out, weights_only=True)


def test_two_processes_train_as_one(phantom_case: Case, tmp_path: Path) -> None:
    phantom_case.save(tmp_path / "case")
    one, two = (weights(count, tmp_path / "case", tmp_path / str(count)) for count in (1, 2))
    for name, expected in one.items():
        torch.testing.assert_close(two[name], expected, atol=1e-5, rtol=0, msg=lambda m, name=name: f"{name}: {m}")
