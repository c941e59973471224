"""What the rasterizers and the voxelizer refuse: kernels get addresses, and look at no length and no type."""

import torch

from radgs_core.radgs.gaussians import RadiativeGaussians

LARGEST_CUTOFF_SIGMA = 13.0
"""Kernels compute ``exp(-cutoff^2 / 2)`` as a power of two, which must not be below 2^-126 (lanes.h)."""

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def check_float32(gaussians: RadiativeGaussians, taker: str) -> None:
    """Raise ValueError unless all parameters are float32; ``taker`` says in the message who wants that."""
    for name in ("means_mm", "scales_mm", "quaternions", "densities_per_mm"):
        dtype = getattr(gaussians, name).dtype
        if dtype != torch.float32:
            raise ValueError(f"{taker} takes float32 Gaussians, not {dtype} ({name}).")


def check_cutoff(cutoff_sigma: float) -> None:
    """Raise ValueError unless 0 < ``cutoff_sigma`` <= `LARGEST_CUTOFF_SIGMA`."""
    if not 0 < cutoff_sigma <= LARGEST_CUTOFF_SIGMA:
        raise ValueError(
            f"cutoff_sigma must be more than 0 and at most {LARGEST_CUTOFF_SIGMA:g}, but is {cutoff_sigma}."
        )


def check_shape(name: str, tensor: torch.Tensor, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless a tensor of floating-point numbers has a shape."""
    if tensor.shape != shape or not tensor.is_floating_point():
        raise ValueError(
            f"{name} must be floating-point numbers of shape {shape}, but is {tensor.dtype} of shape"
            f" {tuple(tensor.shape)}."
        )


def group_of_each(gaussians: RadiativeGaussians, poses: int, group: torch.Tensor | None) -> torch.Tensor:
    """The group of each Gaussian as the kernels take it.

    On CUDA this waits for ``group``, because its range is looked at.

    Args:
        gaussians: N Gaussians.
        poses: G, the number of groups.
        group: (N,) integers in 0..G - 1; may be left out where G is 1.

    Returns:
        (N,) int32, on the device of the Gaussians.

    Raises:
        ValueError: ``group`` is missing although G is not 1, or it is not what is said above.
    """
    count = len(gaussians)
    if group is None:
        if poses != 1:
            raise ValueError(f"group must be given for {poses} groups.")
        return torch.zeros(count, dtype=torch.int32, device=gaussians.means_mm.device)
    if group.shape != (count,) or group.dtype not in _INTEGERS:
        raise ValueError(
            f"group must be an integer for each of {count} Gaussians, but is {group.dtype} of shape"
            f" {tuple(group.shape)}."
        )
    if count:
        smallest, largest = (int(x) for x in group.aminmax())
        if smallest < 0 or largest >= poses:
            raise ValueError(f"group must be in 0..{poses - 1}, but holds {smallest if smallest < 0 else largest}.")
    return group.to(torch.int32)
