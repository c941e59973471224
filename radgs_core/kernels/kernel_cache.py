"""Where Warp keeps compiled kernels, and what to do where nothing can be kept."""

import logging
import tempfile
from functools import cache
from pathlib import Path

import warp as wp

from radgs_core.errors import InputError

logger = logging.getLogger(__name__)


def is_kept(module: wp.Module, device: wp.Device, block_dim: int) -> bool:
    """Whether a module compiled for this kind of device is in the cache."""
    name = module.get_module_identifier(block_dim)
    folder = Path(str(wp.config.kernel_cache_dir)) / name
    if device.is_cuda:
        return any(folder.glob(f"*.sm{device.arch}*"))
    key = wp.get_cpu_kernel_cache_key(cpu_compiler_flags=str(module.options["cpu_compiler_flags"]))
    target = key.rpartition("-")[2]  # the kind of processor, which the names of objects have as well
    return any((folder / f"{name}{suffix}.o").exists() for suffix in (f".cpu{target}", ""))


def can_keep() -> bool:
    """Whether the cache directory can be written to."""
    try:
        with tempfile.TemporaryFile(dir=str(wp.config.kernel_cache_dir)):
            return True
    except OSError:
        return False


def keep_until_exit() -> None:
    """Take a cache directory of this process's own: what cannot be kept must not stop a registration.

    Raises:
        InputError: there is no place for that either.
    """
    try:
        folder = _temporary_folder().name
    except OSError as error:
        raise InputError(
            "the kernels cannot be compiled, because neither their cache directory nor a temporary directory can be"
            " written to; set WARP_CACHE_PATH to a directory that can."
        ) from error
    wp.config.kernel_cache_dir = folder
    logger.warning(
        "the cache directory of the kernels cannot be written to, so they are compiled at every start;"
        " set WARP_CACHE_PATH to a directory that can"
    )


@cache
def _temporary_folder() -> tempfile.TemporaryDirectory:
    """Removed at the end of the process."""
    return tempfile.TemporaryDirectory(prefix="radgs_kernels_")
