"""Where a case comes from."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from radgs_core.io.sha256 import sha256_of

PACKAGES = ("radgs-core", "nibabel", "numpy", "pydicom", "scikit-image", "scipy", "torch")
"""What a prepared case depends on."""


def provenance(inputs: Mapping[str, Path], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What a case records of its origin.

    Args:
        inputs: files or folders by role, e.g. ``ct`` and ``labels``.
        parameters: arguments of the preparation, JSON values.

    Returns:
        ``inputs`` (name and sha256 by role), ``parameters``, ``versions`` of the packages; JSON values only. Full paths
        are left out: they often hold patients' names.
    """
    return {
        "inputs": {role: {"name": path.name, "sha256": sha256_of(path)} for role, path in inputs.items()},
        "parameters": dict(parameters),
        "versions": {package: _version(package) for package in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # run from a source tree
        return "not installed"
