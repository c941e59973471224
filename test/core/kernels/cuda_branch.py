"""The CUDA branch of the kernels' headers, compiled for the CPU: what it computes can be seen without a GPU.

`#ifdef __CUDACC__` in the headers chooses plain numbers instead of vectors, and atomic sums. Here the CPU's compiler is
told that it is CUDA's, and given the few intrinsics that the headers use. Threads and memory of a GPU are not imitated.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import warp as wp

from radgs_core.kernels import engine

INTRINSICS = """
#define __CUDACC__
#define __device__
inline float atomicAdd(float* to, float x) { const float before = *to; *to += x; return before; }
inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
#define fabsf __builtin_fabsf
#define floorf __builtin_floorf
#define ceilf __builtin_ceilf
#define fminf __builtin_fminf
#define fmaxf __builtin_fmaxf
#define sqrtf __builtin_sqrtf
"""


def options(header: str) -> dict[str, Any]:
    """As `engine.options`, for the CUDA branch on the CPU."""
    return {
        "enable_backward": False,
        "cpu_compiler_flags": "-ffp-contract=on",
        "extra_build_options": wp.ModuleBuildOptions(
            extra_cpu_include_dirs=[str(engine.HEADERS)],
            extra_cpu_preamble=f'{INTRINSICS}#include "{header}"',
            extra_build_dependencies=sorted(str(path) for path in engine.HEADERS.glob("*.h")),
        ),
    }


def cuda_branch(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of `radgs_core.kernels` whose kernels are the CUDA branch, on the CPU."""
    copy = f"cuda_branch_of_{name}"
    if copy not in sys.modules:
        spec = importlib.util.spec_from_file_location(copy, Path(engine.HEADERS) / f"{name}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[copy] = module = importlib.util.module_from_spec(spec)
        with monkeypatch.context() as patch:
            patch.setattr(engine, "options", options)
            spec.loader.exec_module(module)
    return sys.modules[copy]
