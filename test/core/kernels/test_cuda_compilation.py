"""Every kernel compiles for CUDA, on a machine without a GPU."""

import importlib
import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import warp as wp

import radgs_core
from radgs_core import kernels

ARCHITECTURES = [75, 80, 86, 90]


def modules_with_kernels() -> list[str]:
    names = [info.name for info in pkgutil.iter_modules(kernels.__path__, "radgs_core.kernels.")]
    return [name for name in names if kernels_of(importlib.import_module(name))]


def kernels_of(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, wp.Kernel)]


def compile_for_cuda(module: ModuleType, folder: Path) -> None:
    """Raises if a kernel of a module does not compile."""
    wp.compile_aot_module(module, arch=ARCHITECTURES, module_dir=folder, use_ptx=False)


@pytest.mark.parametrize("name", modules_with_kernels())
def test_kernels_compile(name: str, tmp_path: Path) -> None:
    module = importlib.import_module(name)
    compile_for_cuda(module, tmp_path)
    for architecture in ARCHITECTURES:
        (binary,) = tmp_path.glob(f"*.sm{architecture}.cubin")
        for kernel in kernels_of(module):
            assert f"{kernel}_".encode() in binary.read_bytes()


def test_no_module_is_forgotten() -> None:
    sources = Path(radgs_core.__file__).parent.rglob("*.py")
    with_kernels = [path.stem for path in sources if re.search(r"^@(native_kernel|wp\.kernel)", path.read_text(), re.M)]
    assert sorted(f"radgs_core.kernels.{name}" for name in with_kernels) == sorted(modules_with_kernels())


def test_an_error_that_only_cuda_has_is_noticed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    header, source = tmp_path / "broken.h", tmp_path / "broken.py"
    header.write_text(
        """
        #ifdef __CUDACC__
        #error "only CUDA sees this"
        #endif
        namespace radgs { inline void broken_task(float* out, int task) { out[task] = 1.0f; } }
        """
    )
    source.write_text(
        f"""
import warp as wp
from radgs_core.kernels.engine import options
from radgs_core.kernels.native import Floats, native_kernel
wp.set_module_options(options("{header}"))
@native_kernel("broken_task")
def broken(out: Floats) -> None: ...
"""
    )
    spec = importlib.util.spec_from_file_location("broken", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken"] = module
    try:
        spec.loader.exec_module(module)
        wp.compile_aot_module(module, device="cpu", module_dir=tmp_path)
        with pytest.raises(Exception, match="CUDA kernel build failed"):
            compile_for_cuda(module, tmp_path)
        assert "only CUDA sees this" in capfd.readouterr().err
    finally:
        del sys.modules["broken"]
