"""Warp kernels from functions of the C++ headers in this folder."""

import inspect
import linecache
from collections.abc import Callable
from typing import Annotated, Any, get_args

import torch
import warp as wp

Floats = Annotated[torch.Tensor, wp.float32]
Doubles = Annotated[torch.Tensor, wp.float64]
Ints = Annotated[torch.Tensor, wp.int32]
Longs = Annotated[torch.Tensor, wp.int64]
"""Contiguous tensors, passed as flat arrays."""


def native_kernel(function: str) -> Callable[[Callable], wp.Kernel]:
    """A kernel that calls ``function`` for each task; decorates a stub whose annotated parameters are the kernel's.

    The C++ function takes the stub's parameters in order, arrays as pointers, and the number of the task last. The
    kernel takes the number of the first task before them, so that threads can share the tasks (`engine.launch`).
    """

    def kernel_of(stub: Callable) -> wp.Kernel:
        types = {name: _type(p.annotation) for name, p in inspect.signature(stub).parameters.items()}
        passed = ", ".join(f"{name}.data" if isinstance(type_, wp.array) else name for name, type_ in types.items())
        scope = {"wp": wp, **{f"type_of_{name}": type_ for name, type_ in types.items()}}
        signature = ", ".join(f"{name}: type_of_{name}" for name in types)
        scope["call"] = _compiled(f"def call({signature}, task: int): ...", stub, scope)
        scope["call"] = wp.func_native(f"radgs::{function}({passed}, task);")(scope["call"])
        source = f"def {stub.__name__}(first: int, {signature}):\n    call({', '.join(types)}, first + wp.tid())\n"
        return wp.kernel(_compiled(source, stub, scope))

    return kernel_of


def _type(annotation: Any) -> Any:
    """What Warp calls the type of a parameter."""
    return wp.array(dtype=get_args(annotation)[1]) if get_args(annotation) else annotation


def _compiled(source: str, stub: Callable, scope: dict) -> Callable:
    """The function that ``source`` defines; Warp reads functions' sources, which linecache keeps for inspect."""
    name = source[len("def ") : source.index("(")]
    file = f"<{stub.__module__}.{stub.__qualname__}: {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), scope)
    function = scope.pop(name)
    function.__module__ = stub.__module__
    return function
