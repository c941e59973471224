"""NVIDIA Warp as the compiler of the kernels: one C++ source for the CPU (LLVM, part of Warp) and for CUDA.

The kernels are written in the headers of this folder; Warp compiles them on first use, which takes seconds, and keeps
the result in its cache directory (``WARP_CACHE_PATH``).
"""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock, local
from typing import Any

import torch
import warp as wp

from radgs_core.errors import InputError
from radgs_core.kernels.kernel_cache import can_keep, is_kept, keep_until_exit
from radgs_core.kernels.native import packed

logger = logging.getLogger(__name__)

HEADERS = Path(__file__).parent
BLOCK_DIM = 128

CPU_FLAGS = "-march=native -ffp-contract=on -mprefer-vector-width=512"
"""Contraction to fused multiply-adds only as written (on): with fast, the compiler may round differently in copies that
it makes of one line of code, and results would depend on where the work is cut for threads."""


def options(header: str) -> dict[str, Any]:
    """Options of a Warp module whose native functions are in a header of this folder."""
    include = f'#include "{header}"'
    return {
        "enable_backward": False,  # adjoints are written by hand
        "cpu_compiler_flags": CPU_FLAGS,
        "optimization_level": 3,
        "extra_build_options": wp.ModuleBuildOptions(
            extra_cpu_include_dirs=[str(HEADERS)],
            extra_cuda_include_dirs=[str(HEADERS)],
            extra_cpu_preamble=include,
            extra_cuda_preamble=include,
            extra_build_dependencies=sorted(str(path) for path in HEADERS.glob("*.h")),
        ),
    }


def launch(kernel: wp.Kernel, tasks: int, arguments: Sequence[Any], device: torch.device) -> None:
    """Run ``tasks`` tasks of a kernel; on the CPU as many threads as torch uses share them.

    Args:
        kernel: takes the number of the first task, then ``arguments``; works on task ``first + wp.tid()``. Tasks must
            not write to the same numbers, so that results do not depend on the number of threads.
        tasks: how many there are.
        arguments: contiguous tensors on ``device``, which the kernel sees flat, and numbers.
        device: where to run.

    Raises:
        InputError: the kernels cannot be compiled or the device is not known to Warp.
        TypeError: a tensor is not what the kernel takes.
    """
    if tasks == 0:
        return
    warp_device = _ready(kernel.module, str(device))
    passed = packed(kernel, arguments, device)
    if warp_device.is_cuda:
        stream = wp.stream_from_torch(torch.cuda.current_stream(device))
        wp.launch(
            kernel, tasks, [0, *passed], device=warp_device, stream=stream, record_tape=False, block_dim=BLOCK_DIM
        )
        return
    shares = 1 if getattr(_this_thread, "is_one_of_several", False) else min(torch.get_num_threads(), tasks)

    def run(share: int) -> None:
        first, last = tasks * share // shares, tasks * (share + 1) // shares
        wp.launch(kernel, last - first, [first, *passed], device=warp_device, record_tape=False)

    others = [_threads().submit(run, share) for share in range(1, shares)]
    try:
        run(0)
    finally:  # they work on memory that the caller may free
        wait(others)
    for other in others:
        other.result()


_this_thread = local()


def be_one_of_several() -> None:
    """Let kernels launched from this thread run in it alone: others like it keep the other cores busy."""
    _this_thread.is_one_of_several = True


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="radgs_kernels")


def _ready(module: wp.Module, device: str) -> wp.Device:
    """The device, once a module is compiled for it and loaded."""
    key = (module, device)
    if key not in _loaded:
        with _lock:  # threads that need the same kernels must not compile them twice
            if key not in _loaded:
                _loaded[key] = _compiled(module, device)
    return _loaded[key]


_loaded: dict[tuple[wp.Module, str], wp.Device] = {}
_lock = Lock()


def _after_fork() -> None:
    """A child process has none of its parent's other threads: they would never finish, nor release the lock."""
    global _lock
    _threads.cache_clear()
    _lock = Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)


def _compiled(module: wp.Module, device: str) -> wp.Device:
    _initialise()
    try:
        warp_device = wp.device_from_torch(device)
    except Exception as error:
        raise InputError(
            f"no kernels can run on the device {device}; use cpu, or a CUDA device that torch and Warp see."
        ) from error
    block_dim = BLOCK_DIM if warp_device.is_cuda else 1
    began = time.monotonic()
    if not is_kept(module, warp_device, block_dim):
        if not can_keep():
            keep_until_exit()
        logger.info("compiling kernels for %s; this takes seconds, on first use only", device)
    try:
        wp.load_module(module, device=warp_device, block_dim=block_dim)
    except Exception as error:
        raise InputError(f"the kernels cannot be compiled for {device}: {' '.join(str(error).split())}") from error
    logger.debug("%s ready on %s after %.1f s", module.name, device, time.monotonic() - began)
    return warp_device


@cache
def _initialise() -> None:
    wp.config.log_level = wp.LOG_WARNING
    if not _has_begun():
        keep_until_exit()
        with _silent_stderr():
            wp.init()


def _has_begun() -> bool:
    """Whether Warp could make its cache directory, with which it begins."""
    with _silent_stderr():
        try:
            wp.init()
        except OSError:
            return False
    return True


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Warp's library writes a line to the process's stderr on every machine without a GPU; errors are raised anyway."""
    try:
        kept = os.dup(2)
    except OSError:  # closed: nothing is to be silenced
        kept = None
    if kept is None:
        yield
        return
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
