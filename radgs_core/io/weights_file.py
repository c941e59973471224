"""Trained networks in one file: tensors, what the networks are built from, and the model card.

A ``.safetensors`` file holds no code. Its metadata, which are texts, carry ``format``, ``configuration`` and ``card``
as JSON, and ``sha256`` over all of this and the tensors. A tensor is named ``<module>/<name in the module>``. Nothing
of `radgs_core.training` is needed to read it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from radgs_core.errors import InputError
from radgs_core.io.atomic import written_atomically
from radgs_core.io.model_card import ModelCard

FORMAT = "radgs_core weights 1"


@dataclass(frozen=True)
class WeightsFile:
    """What is in a file of weights.

    Attributes:
        path: of the file.
        tensors: state dictionary of each module, on the CPU.
        configuration: JSON values that the modules are built from.
        card: where the weights come from.
    """

    path: Path
    tensors: Mapping[str, Mapping[str, torch.Tensor]]
    configuration: Mapping[str, Any]
    card: ModelCard

    def fill(self, name: str, module: nn.Module) -> None:
        """Load the weights of ``name`` into a module built for them.

        Raises:
            InputError: there is no such module in the file, or its tensors have other names, shapes or types.
        """
        if name not in self.tensors:
            raise InputError(f"{self.path} holds {', '.join(self.tensors)}, but no {name}; give a file that has it.")
        stored, wanted = (
            {key: (tuple(tensor.shape), tensor.dtype) for key, tensor in tensors.items()}
            for tensors in (self.tensors[name], module.state_dict())
        )
        for key in sorted({*stored, *wanted}):
            if stored.get(key) != wanted.get(key):
                raise _unusable(
                    self.path,
                    f"does not fit this program's {name} ({key} is {_kind(stored.get(key))}, should be"
                    f" {_kind(wanted.get(key))})",
                )
        module.load_state_dict(dict(self.tensors[name]))


def write_weights(
    path: Path, modules: Mapping[str, nn.Module], configuration: Mapping[str, Any], card: ModelCard
) -> None:
    """Write networks; a file that exists is replaced only when all is written.

    Args:
        path: ends in ``.safetensors``.
        modules: networks by name; a name has no slash.
        configuration: JSON values from which the networks can be built again.
        card: what there is to know.

    Raises:
        InputError: the file cannot be written.
    """
    tensors = {
        f"{module}/{name}": tensor.detach().cpu().contiguous().clone()  # tensors that share memory are refused
        for module, network in modules.items()
        for name, tensor in network.state_dict().items()
    }
    metadata = {
        "format": FORMAT,
        "configuration": json.dumps(dict(configuration), sort_keys=True, allow_nan=False),
        "card": json.dumps(card.to_json(), sort_keys=True, allow_nan=False),
    }
    with written_atomically(path) as temporary:
        save_file(tensors, temporary, {**metadata, "sha256": _digest(metadata, tensors)})


def read_weights(path: Path) -> WeightsFile:
    """Read networks.

    Raises:
        InputError: missing, damaged, changed since it was written, not written by this program, or with numbers that
            are NaN or infinite.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist or is not a file; give a .safetensors file of trained networks.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 it is no mapping
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise _unusable(path, "is damaged or no .safetensors file") from error
    if metadata.get("format") != FORMAT:
        raise _unusable(path, "was not written by this version of this program")
    digest = metadata.pop("sha256", None)
    if digest != _digest(metadata, tensors):
        raise _unusable(path, "was changed since it was written (its sha256 differs)")
    modules: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise _unusable(path, f"holds NaN or infinite numbers in {name}")
        module, _, key = name.partition("/")
        modules.setdefault(module, {})[key] = tensor
    try:
        configuration, card = json.loads(metadata["configuration"]), ModelCard.from_json(json.loads(metadata["card"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _unusable(path, "has no readable configuration or model card") from error
    return WeightsFile(path, modules, configuration, card)


def _digest(metadata: Mapping[str, str], tensors: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _kind(kind: tuple[tuple[int, ...], torch.dtype] | None) -> str:
    if kind is None:
        return "missing"
    shape, dtype = kind
    return f"{str(dtype).removeprefix('torch.')} {' x '.join(map(str, shape)) or 'scalar'}"


def _unusable(path: Path, what: str) -> InputError:
    return InputError(f"{path} {what}; give weights that were trained with this version, or train anew.")
