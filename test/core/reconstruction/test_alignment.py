"""Linearised alignment: against ray-cast X-rays of a vertebra that is a little beside where it is expected."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from radgs_core.case import Case
from radgs_core.geometry.rigid import exp_se3, inverse, log_se3, rotation_about
from radgs_core.reconstruction.alignment import PARAMETERS, RESOLUTIONS, alignment, in_vertebra_frame
from radgs_core.reconstruction.crops import Crops, CropSize, crop_levels
from radgs_core.reconstruction.places import places_mm
from radgs_core.volume import Volume
from radgs_core.xray.attenuation import excess_attenuation
from radgs_core.xray.carm import CArm, biplanar_geometry, body_pose
from radgs_core.xray.normalisation import local_contrast
from radgs_core.xray.observation import Observation
from radgs_core.xray.raycast import RayCastVolume

SIZE = CropSize(64, 80.0)
LEVEL = "L1"
TYPICAL = np.array([1.0, 1.0, 1.0, 1 / 40, 1 / 40, 1 / 40])
"""What a mm and a turn by as much at the rim of a vertebra are."""


def crops_at(case: Case, off: NDArray[np.float64]) -> Crops:
    """Crops of a vertebra alone, ray cast from its voxels, that is expected wrongly by a twist in its own frame."""
    vertebra = case.levels[LEVEL]
    pose = rotation_about(np.zeros(3), np.array([3.0, -5, 4, 0.1, 0.05, -0.08])) @ body_pose(case, [LEVEL])
    bone = Volume(excess_attenuation(vertebra.bone_hu.data, vertebra.fill_hu.data), vertebra.bone_hu.T_ct_voxel)
    volume = RayCastVolume.from_volume(bone)
    observations, nothing = [], []
    for camera in biplanar_geometry(CArm(size=256, pixel_mm=0.8), (5.0, -8.0), (84.0, 6.0)).views.values():
        image = volume.line_integral(camera, torch.as_tensor(pose))
        observations.append(Observation(camera, image, torch.ones_like(image)))
        nothing.append(Observation(camera, torch.zeros_like(image), torch.ones_like(image)))
    frame = vertebra.T_ct_vertebra
    expected = pose @ frame @ exp_se3(torch.as_tensor(off)).numpy() @ inverse(frame)
    places = places_mm(vertebra)[None]
    return crop_levels(observations, nothing, [vertebra.gaussians], frame[None], places, expected[None], SIZE)


def solved(equations: torch.Tensor) -> NDArray[np.float64]:
    """(6,) in mm and typical turns; what is hardly determined stays 0."""
    scale = torch.as_tensor(TYPICAL, dtype=torch.float32)
    matrix = equations[:, :PARAMETERS] * scale * scale[:, None]
    right = equations[:, PARAMETERS] * scale
    return torch.linalg.solve(matrix + 1e-3 * matrix.diagonal().max() * torch.eye(PARAMETERS), right).numpy()


@pytest.mark.parametrize("resolution", range(len(RESOLUTIONS)))
@pytest.mark.parametrize("parameter", range(PARAMETERS))
def test_both_views_tell_where_the_vertebra_is(phantom_case: Case, parameter: int, resolution: int) -> None:
    off = 0.7 * TYPICAL * np.eye(PARAMETERS)[parameter]
    wanted = log_se3(inverse(exp_se3(torch.as_tensor(off)).numpy())) / TYPICAL
    equations = crops_at(phantom_case, off).alignment[0, :, resolution].sum(0)
    unmoved = crops_at(phantom_case, np.zeros(PARAMETERS)).alignment[0, :, resolution].sum(0)
    found = solved(equations) - solved(unmoved)
    assert 0.5 * abs(wanted[parameter]) < -found[parameter] * np.sign(off[parameter]) < 1.5 * abs(wanted[parameter])
    assert np.abs(np.delete(found, parameter)).max() < 0.4


def made_up() -> Sequence[torch.Tensor]:
    """Line integrals seen and expected, usable pixels, derivatives."""
    generator = torch.Generator().manual_seed(0)
    seen, expected, *derivatives = torch.nn.functional.interpolate(
        torch.randn(1, 8, 16, 16, generator=generator), (32, 32), mode="bicubic"
    )[0]
    usable = torch.ones(32, 32)
    usable[:, :8] = 0
    return seen[None], expected[None], usable[None], torch.stack(derivatives)[None]


def equations_of(
    seen: torch.Tensor, expected: torch.Tensor, usable: torch.Tensor, derivatives: torch.Tensor
) -> torch.Tensor:
    """Of line integrals."""
    contrast, _ = local_contrast(seen, usable, 9)
    return alignment(contrast, *local_contrast(expected, usable, 9), usable, derivatives)


def test_exposure_and_what_cannot_be_used_do_not_matter() -> None:
    seen, expected, usable, derivatives = made_up()
    equations = equations_of(seen, expected, usable, derivatives)
    assert equations.shape == (1, len(RESOLUTIONS), PARAMETERS, PARAMETERS + 1)
    torch.testing.assert_close(
        equations_of(3 * seen + 2, expected, usable, derivatives), equations, rtol=1e-3, atol=1e-3
    )
    other = torch.where(usable > 0, seen, torch.full_like(seen, 7.0))
    torch.testing.assert_close(equations_of(other, expected, usable, derivatives), equations, rtol=1e-3, atol=1e-3)


def test_a_vertebra_frame_has_axes_of_its_own() -> None:
    """The twist that solves the equations is the same motion in either frame's axes."""
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(1, 2, 9, PARAMETERS, generator=generator)
    twist = torch.randn(PARAMETERS, generator=generator)
    equations = rows.mT @ torch.cat([rows, (rows @ twist)[..., None]], -1)
    pose = rotation_about(np.zeros(3), np.array([3.0, -5, 4, 0.4, 0.9, -0.8]))
    turned = in_vertebra_frame(equations, pose[None])
    found = torch.linalg.solve(turned[0, 0, :, :PARAMETERS], turned[0, 0, :, PARAMETERS])
    rotation = torch.as_tensor(pose[:3, :3], dtype=torch.float32)
    torch.testing.assert_close(torch.cat([rotation @ found[:3], rotation @ found[3:]]), twist, rtol=1e-3, atol=1e-3)
