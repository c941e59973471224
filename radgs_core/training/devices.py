"""Where a training runs: one process, or several that torchrun has started."""

import atexit
import os
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning_fabric.plugins.precision import MixedPrecision
from lightning_fabric.plugins.precision import Precision as PrecisionPlugin
from lightning_fabric.strategies import DDPStrategy

from radgs_core.errors import InputError
from radgs_core.training.settings import Accelerator, Precision, Settings

CPU_FLAGS = Path("/proc/cpuinfo")


def quickest_precision(accelerator: Accelerator) -> Precision:
    """bfloat16 where the hardware multiplies matrices of it: on CUDA, and on CPUs with AMX. Others are half as quick
    again in single precision."""
    on_cuda = accelerator != "cpu" and torch.cuda.is_available()
    return "bf16-mixed" if on_cuda or " amx_bf16 " in CPU_FLAGS.read_text() else "32-true"


def launched(settings: Settings) -> Fabric:
    """Join the processes that torchrun has started (gloo on CPUs, NCCL on GPUs), or none.

    Raises:
        InputError: the accelerator or the precision is not to be had here.
    """
    cuda = torch.cuda.is_available()
    if settings.accelerator == "cuda" and not cuda:
        raise InputError("there is no CUDA device that torch can use; choose the device cpu or auto.")
    accelerator = "cuda" if cuda and settings.accelerator != "cpu" else "cpu"
    by_torchrun = torch.distributed.is_available() and torch.distributed.is_torchelastic_launched()
    processes = int(os.environ["WORLD_SIZE"]) if by_torchrun else 1
    on_this_machine = int(os.environ["LOCAL_WORLD_SIZE"]) if by_torchrun else 1
    fabric = Fabric(
        accelerator=accelerator,
        devices=on_this_machine,
        num_nodes=processes // on_this_machine,
        # a step may leave a part of the network out
        strategy=DDPStrategy(find_unused_parameters=True) if processes > 1 else "auto",
        # named, so that a job of SLURM or MPI in which this runs is not mistaken for processes of ours
        plugins=[
            _precision(settings, accelerator),
            TorchElasticEnvironment() if by_torchrun else LightningEnvironment(),
        ],
    )
    fabric.launch()
    if processes > 1:  # threads of a group that is still there when the interpreter ends can abort the process
        atexit.unregister(_leave_group)
        atexit.register(_leave_group)
    return fabric


def _leave_group() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _precision(settings: Settings, accelerator: str) -> PrecisionPlugin:
    if settings.precision == "32-true":
        return PrecisionPlugin()
    if settings.precision == "16-mixed" and accelerator != "cuda":
        raise InputError("the precision 16-mixed needs CUDA; choose bf16-mixed or 32-true.")
    return _Autocast(settings.precision, accelerator)


class _Autocast(MixedPrecision):
    """Mixed precision that leaves inputs as they are: millimetres and poses do not fit half precision, and autocast
    rounds what layers may be given rounded."""

    def convert_input(self, data: Any) -> Any:
        return data


def to_device(batch: Any, device: torch.device) -> Any:
    """The batch with all its tensors on a device; looks into (frozen) dataclasses, tuples, lists and mappings."""
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=device.type == "cuda")
    if is_dataclass(batch) and not isinstance(batch, type):
        moved = {field.name: to_device(getattr(batch, field.name), device) for field in fields(batch) if field.init}
        return replace(batch, **moved)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(to_device(item, device) for item in batch))
    if isinstance(batch, tuple | list):
        return type(batch)(to_device(item, device) for item in batch)
    if isinstance(batch, dict):
        return {key: to_device(item, device) for key, item in batch.items()}
    return batch
