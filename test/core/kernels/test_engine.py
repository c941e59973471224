"""First use, cache directory and devices of the kernels, each in a process of its own."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import warp as wp

from radgs_core.errors import InputError
from radgs_core.kernels import engine
from radgs_core.kernels.engine import launch
from radgs_core.kernels.rasterizer import pad
from radgs_core.kernels.similarity import pool

COMPILING = "compiling kernels for cpu; this takes seconds, on first use only"
CANNOT_KEEP = "the cache directory of the kernels cannot be written to"
DRAW = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)
import numpy as np
import torch
from radgs_core.geometry.camera import XrayCamera
from radgs_core.radgs.gaussians import RadiativeGaussians
from radgs_core.radgs.rasterizer import rasterize
T_reference_camera = np.eye(4)
T_reference_camera[2, 3] = -500.0
camera = XrayCamera(24, 20, [[300.0, 0, 12], [0, 300.0, 10], [0, 0, 1]], T_reference_camera)
means = torch.tensor([[1.0, 2.0, 3.0], [-2.0, 0.5, 9.0]])
model = RadiativeGaussians(means, means.abs() + 1, torch.tensor([[1.0, 0.2, 0.3, 0.1]] * 2), torch.tensor([0.1, 0.2]))
(image,) = rasterize(model, [camera], torch.eye(4, dtype=torch.float64)[None])
print(image.numpy().tobytes().hex())
"""


def drawn(**environment: str) -> list[str]:
    """What a process prints that draws an image: its log, then the image's bytes. It must be silent otherwise."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("WARP_CACHE_PATH", "XDG_CACHE_HOME")}
    ended = subprocess.run(
        [sys.executable, "-c", DRAW], env={**inherited, **environment}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_first_use_is_announced_and_kept(tmp_path: Path) -> None:
    first = drawn(WARP_CACHE_PATH=str(tmp_path))
    assert first[:-1] == [f"INFO {COMPILING}"]
    assert drawn(WARP_CACHE_PATH=str(tmp_path)) == first[-1:]


@pytest.mark.parametrize("kind", ["nobody's home", "a folder that takes nothing"])
def test_without_a_cache_directory_it_works_and_says_so(kind: str, tmp_path: Path) -> None:
    # the tests may run as root, to whom permissions do not matter
    environment = {"TMPDIR": str(tmp_path)}
    if kind == "nobody's home":
        environment["HOME"] = "/dev/null"
    else:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / wp.config.version).symlink_to("/proc/self")
        environment["WARP_CACHE_PATH"] = str(tmp_path / "cache")
    warning, information, _ = drawn(**environment)
    assert warning.startswith(f"WARNING {CANNOT_KEEP}, so they are compiled at every start;")
    assert information == f"INFO {COMPILING}"
    assert not list(tmp_path.glob("radgs_kernels_*")), "what was compiled is not removed"


def test_no_place_at_all_is_one_sentence(tmp_path: Path) -> None:
    code = f"""
import tempfile
from radgs_core.errors import InputError
tempfile.tempdir = "/dev/null"
try:
    exec({DRAW!r})
except InputError as error:
    print(error)
"""
    environment = {**os.environ, "WARP_CACHE_PATH": "/dev/null"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ended.stderr == ""
    assert ended.stdout == (
        "the kernels cannot be compiled, because neither their cache directory nor a temporary directory can be"
        " written to; set WARP_CACHE_PATH to a directory that can.\n"
    )


def test_an_unknown_device_is_one_sentence() -> None:
    device = torch.device("cuda", 77)
    with pytest.raises(InputError, match=r"^no kernels can run on the device cuda:77; use cpu, or a CUDA device .*\.$"):
        launch(pad, 1, [], device)


def test_the_command_line_starts_without_warp_and_torch() -> None:
    code = """
import sys
from radgs_core.cli import main
try:
    main(["register", "--help"])
except SystemExit:
    print(sorted({"warp", "torch", "nanodrr"} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def pooled() -> torch.Tensor:
    """Cells of an image, by a kernel that two threads share."""
    images, out = torch.arange(64.0).reshape(8, 8), torch.zeros(2, 2)
    launch(pool, 2, [images, 8, 8, 4, out], images.device)
    return out


def test_a_forked_process_has_threads_of_its_own() -> None:
    code = """
import os
import torch
from radgs_core.kernels.engine import launch
from radgs_core.kernels.similarity import pool
torch.set_num_threads(2)
images, out = torch.ones(8, 8), torch.zeros(2, 2)
launch(pool, 2, [images, 8, 8, 4, out], images.device)
child = os.fork()
if child == 0:
    out.zero_()
    launch(pool, 2, [images, 8, 8, 4, out], images.device)
    os._exit(0 if out.eq(16).all() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.communicate(timeout=60)[0] == "0\n"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()


def test_a_closed_stderr_is_no_unwritable_cache() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", f"import os\nos.close(2)\n{DRAW}"], stdout=subprocess.PIPE, text=True, check=True
    )
    assert CANNOT_KEEP not in ended.stdout


def test_an_error_waits_for_the_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    pooled()  # compiled before
    finished = threading.Event()

    def fail_first(kernel: wp.Kernel, tasks: int, arguments: list[Any], **_: Any) -> None:
        if arguments[0] == 0:
            raise RuntimeError("the first thread's")
        time.sleep(0.2)
        finished.set()

    monkeypatch.setattr(wp, "launch", fail_first)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    with pytest.raises(RuntimeError, match="the first thread's"):
        pooled()
    assert finished.is_set()


def test_kernels_that_are_ready_wait_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = pooled()
    monkeypatch.setattr(engine, "_lock", None)  # taking it is an error
    assert torch.equal(pooled(), expected)


def test_kernels_of_another_processor_do_not_count(tmp_path: Path) -> None:
    drawn(WARP_CACHE_PATH=str(tmp_path))
    objects = list(tmp_path.rglob("*.o"))
    assert objects
    for path in objects:
        stem = path.name.partition(".")[0]
        shutil.move(path, path.with_name(f"{stem}.cpu00000000.o"))
    assert drawn(WARP_CACHE_PATH=str(tmp_path))[0] == f"INFO {COMPILING}"
