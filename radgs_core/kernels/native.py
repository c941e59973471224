"""Warp kernels from functions of the C++ headers in this folder."""

import inspect
import linecache
from collections.abc import Callable, Sequence
from typing import Annotated, Any, get_args

import torch
import warp as wp

Floats = Annotated[torch.Tensor, torch.float32]
Doubles = Annotated[torch.Tensor, torch.float64]
Ints = Annotated[torch.Tensor, torch.int32]
Longs = Annotated[torch.Tensor, torch.int64]

_C_NAMES = {torch.float32: "float", torch.float64: "double", torch.int32: "int", torch.int64: "wp::int64"}
_dtypes: dict[wp.Kernel, tuple[torch.dtype | None, ...]] = {}


def native_kernel(function: str) -> Callable[[Callable], wp.Kernel]:
    """A kernel that calls ``function`` for each task; decorates a stub whose annotated parameters are the kernel's.

    The C++ function takes the stub's parameters in order, tensors as pointers, and the number of the task last. The
    kernel takes the number of the first task before them, so that threads can share the tasks (`engine.launch`).
    """

    def kernel_of(stub: Callable) -> wp.Kernel:
        annotations = {name: p.annotation for name, p in inspect.signature(stub).parameters.items()}
        dtypes = {name: get_args(a)[1] if get_args(a) else None for name, a in annotations.items()}
        # Warp's own arrays cost microseconds each, at every launch; an address costs nothing
        types = {name: annotations[name] if dtype is None else wp.uint64 for name, dtype in dtypes.items()}
        passed = ", ".join(name if dtype is None else f"({_C_NAMES[dtype]}*){name}" for name, dtype in dtypes.items())
        scope = {"wp": wp, **{f"type_of_{name}": type_ for name, type_ in types.items()}}
        signature = ", ".join(f"{name}: type_of_{name}" for name in types)
        scope["call"] = _compiled(f"def call({signature}, task: int): ...", stub, scope)
        scope["call"] = wp.func_native(f"radgs::{function}({passed}, task);")(scope["call"])
        source = f"def {stub.__name__}(first: int, {signature}):\n    call({', '.join(types)}, first + wp.tid())\n"
        kernel = wp.kernel(_compiled(source, stub, scope))
        _dtypes[kernel] = tuple(dtypes.values())
        return kernel

    return kernel_of


def packed(kernel: wp.Kernel, arguments: Sequence[Any], device: torch.device) -> list[Any]:
    """What Warp passes to a kernel: numbers, and the addresses of tensors.

    Raises:
        TypeError: a tensor of another type or device than the kernel's, or not contiguous.
    """
    result = []
    for argument, dtype in zip(arguments, _dtypes[kernel], strict=True):
        if dtype is not None:
            if argument.dtype != dtype or argument.device != device or not argument.is_contiguous():
                raise TypeError(
                    f"{kernel.key} takes a contiguous tensor of {dtype} on {device} there, not {argument.dtype} on"
                    f" {argument.device} with strides {argument.stride()}."
                )
            argument = argument.data_ptr()
        result.append(argument)
    return result


def _compiled(source: str, stub: Callable, scope: dict) -> Callable:
    """The function that ``source`` defines; Warp reads functions' sources, which linecache keeps for inspect."""
    name = source[len("def ") : source.index("(")]
    file = f"<{stub.__module__}.{stub.__qualname__}: {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), scope)
    function = scope.pop(name)
    function.__module__ = stub.__module__
    return function
