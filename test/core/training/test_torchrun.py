import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from line_fit import SETTINGS, LineFit, silent

from radgs_core.training.trainer import train

PROGRAM = Path(__file__).parent / "line_fit.py"


def torchrun(processes: int, folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """The program in several processes."""
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, PROGRAM, folder, out], capture_output=True, text=True, timeout=300, env=environment
    )


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    done = torchrun(2, tmp_path / "two", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    alone = LineFit()
    train(alone, SETTINGS, tmp_path / "one", silent)
    results = [torch.load(tmp_path / "out" / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    for result in results:
        for name, expected in alone.module.state_dict().items():
            torch.testing.assert_close(result["weights"][name], expected, atol=1e-6, rtol=0)
    # each took every other sample, none was left out or taken twice
    count = SETTINGS.batch_size * (SETTINGS.steps or 0)
    assert results[0]["first_x"][: count // 2] == alone.first_x[:count:2]
    assert results[1]["first_x"][: count // 2] == alone.first_x[1:count:2]
    # one process writes
    assert len(list((tmp_path / "two" / "tensorboard").iterdir())) == 1
    rows = (tmp_path / "two" / "curves.csv").read_text().splitlines()
    assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(25))


def test_processes_that_cannot_share_a_batch_are_refused(tmp_path: Path) -> None:
    done = torchrun(3, tmp_path / "three", tmp_path / "out")
    assert done.returncode != 0
    assert re.search("InputError: a batch of 4 cannot be shared by 3 processes", done.stderr)
    assert not list(tmp_path.glob("three/checkpoint*"))


if not torch.distributed.is_available():
    pytest.skip("torch without torch.distributed", allow_module_level=True)
