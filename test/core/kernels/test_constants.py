"""Constants that stand in the C++ headers and, for who allocates what the kernels write to, in Python."""

import re

import pytest
import torch

from radgs_core.kernels import filters, normal_equations, pose_derivatives, rasterizer, similarity, voxelizer
from radgs_core.kernels.engine import HEADERS
from radgs_core.radgs.division import Division
from radgs_core.radgs.views import Views
from radgs_core.radgs.volume_division import VolumeDivision
from radgs_core.registration import windows

CPU = torch.device("cpu")


def constant(header: str, name: str) -> int:
    """What a header says for the CPU; names of other constants in the same header stand for their values."""
    text = (HEADERS / header).read_text()
    found = re.findall(rf"^constexpr int {name} = ([^;]+);", text, re.M)
    value = found[-1].split("?")[-1].partition(":")[0] if "LANES > 1 ?" in found[-1] else found[-1]
    terms = re.split(r"( \+ | \* )", value.strip())
    numbers = [t if t in (" + ", " * ") else t if t.isdigit() else str(constant(header, t)) for t in terms]
    return int(eval("".join(numbers)))


@pytest.mark.parametrize(
    ("python", "header", "name"),
    [
        (rasterizer.FOOTPRINT_SIZE, "footprint.h", "FOOTPRINT_SIZE"),
        (rasterizer.MOMENTS, "footprint.h", "MOMENTS"),
        (rasterizer.PADDING, "rasterizer_tasks.h", "PADDING"),
        (pose_derivatives.CHANNELS, "pose_derivatives.h", "CHANNELS"),
        (voxelizer.ELLIPSOID_SIZE, "ellipsoid.h", "ELLIPSOID_SIZE"),
        (voxelizer.MOMENTS, "ellipsoid.h", "VOXEL_MOMENTS"),
        (voxelizer.MIN_COLUMNS, "lanes.h", "LANES"),
        (filters.TAPS_PADDING, "filters.h", "TAPS_PADDING"),
        (filters.LINE_PADDING, "filters.h", "LINE_PADDING"),
        (filters.ROWS_AT_ONCE, "filters.h", "ROWS_AT_ONCE"),
        (similarity.MAX_STRIDE, "cells.h", "MAX_STRIDE"),
        (normal_equations.PARAMETERS, "normal_equations.h", "PARAMETERS"),
        (normal_equations.BLOCK_SIZE, "normal_equations.h", "BLOCK_SIZE"),
        (windows.LANES, "lanes.h", "LANES"),
    ],
)
def test_python_and_cpp_agree(python: int, header: str, name: str) -> None:
    assert python == constant(header, name)


def test_polynomials_have_a_coefficient_for_each_twist() -> None:
    coefficients = 6  # 1, x, y, xx, xy, yy
    assert coefficients * constant("pose_derivatives.h", "TWISTS") == pose_derivatives.COEFFICIENTS


def test_blocks_of_gaussians_are_whole_vectors() -> None:
    on_cpu = Division.on(CPU, 1000, Views.of([], CPU)), VolumeDivision.on(CPU, 1000, (20, 20, 20))
    blocks = [on_cpu[0].projection_block, on_cpu[0].gradient_block, on_cpu[1].placing_block, on_cpu[1].gradient_block]
    assert not any(block % constant("lanes.h", "LANES") for block in blocks)
