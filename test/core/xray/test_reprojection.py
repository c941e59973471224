"""Resampled X-rays and normalised ones, against closed forms."""

import dataclasses

import numpy as np
import pytest
import torch

from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import rotation_about
from radgs_core.xray.carm import CArm, biplanar_geometry
from radgs_core.xray.normalisation import normalised
from radgs_core.xray.observation import Observation
from radgs_core.xray.reprojection import reproject


def taken(size: int = 32) -> Observation:
    camera = biplanar_geometry(CArm(size=size, pixel_mm=4.0)).views["ap"]
    image = torch.rand(size, size, generator=torch.Generator().manual_seed(0))
    return Observation(camera, image, torch.ones(size, size))


def test_the_same_camera_sees_the_same() -> None:
    observation = taken()
    seen = reproject(observation, [observation.camera, observation.camera])
    torch.testing.assert_close(seen.line_integral, observation.line_integral.expand(2, 32, 32), atol=1e-5, rtol=0)
    assert (seen.usable == 1).all()


def test_pixels_twice_as_large_are_means_of_four() -> None:
    observation = taken()
    holes = torch.ones(32, 32)
    holes[4:6, 8:10] = 0.0  # all of a large pixel
    holes[10, 10] = 0.0  # a quarter of one
    seen = reproject(dataclasses.replace(observation, usable=holes), [observation.camera.resized(2)])
    weighted = (observation.line_integral * holes).view(16, 2, 16, 2).sum((1, 3))
    counts = holes.view(16, 2, 16, 2).sum((1, 3))
    torch.testing.assert_close(seen.line_integral[0], weighted / counts.clamp_min(1), atol=1e-5, rtol=0)
    assert seen.usable[0, 2, 4] == 0 and seen.line_integral[0, 2, 4] == 0 and seen.usable.sum() == 255


@pytest.mark.parametrize("turn", [0.0, 0.05])
def test_a_turned_detector_sees_rays_from_the_same_source(turn: float) -> None:
    """The image is a smooth function of the ray's direction, so what another detector sees is known."""
    camera = taken(64).camera

    def image(view: XrayCamera) -> torch.Tensor:
        row, column = np.mgrid[: view.height, : view.width]
        pixels = np.stack([column, row, np.ones_like(row)], -1) @ np.linalg.inv(view.camera_matrix).T
        rays = pixels @ view.T_reference_camera[:3, :3].T
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        return torch.as_tensor(2 + np.sin(25 * rays[..., 0]) * np.cos(25 * rays[..., 1]), dtype=torch.float32)

    rotation = rotation_about(np.zeros(3), np.array([0, 0, 0, turn, -turn, 3 * turn]))
    T_reference_camera = camera.T_reference_camera @ rotation
    other = dataclasses.replace(camera, T_reference_camera=T_reference_camera)
    seen = reproject(Observation(camera, image(camera), torch.ones(64, 64)), [other])
    inside = seen.usable[0].bool()
    assert 0.5 < inside.float().mean() <= 1 and (turn == 0) == bool(inside.all())
    torch.testing.assert_close(seen.line_integral[0][inside], image(other)[inside], atol=0.06, rtol=0)
    assert (seen.line_integral[0][~inside] == 0).all()


def test_normalised_images_know_no_gain_and_no_offset() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 24, 24, generator=generator).cumsum(-1)
    usable = torch.ones(2, 24, 24)
    usable[:, :, 20:] = 0.0
    first = normalised(image, usable, 7)
    garbage = torch.where(usable > 0, image, 1e4)
    torch.testing.assert_close(first, normalised(garbage, usable, 7), atol=1e-5, rtol=0)
    torch.testing.assert_close(first, normalised(2.5 * image + 7.0, usable, 7), atol=1e-3, rtol=0)
    whole = first[:, 0][usable.bool()].view(2, -1)
    torch.testing.assert_close(whole.mean(1), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(whole.std(1, unbiased=False), torch.ones(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(first[:, 2], usable)
    assert (first[:, :2][:, :, :, 20:] == 0).all()
    window = image[0, 5:12, 5:12]
    expected = (image[0, 8, 8] - window.mean()) / window.std(unbiased=False)
    assert float(first[0, 1, 8, 8]) == pytest.approx(float(expected), abs=1e-3)


def test_nothing_is_made_of_faint_noise() -> None:
    faint = 1e-4 * torch.rand(1, 24, 24, generator=torch.Generator().manual_seed(0))
    assert normalised(faint, torch.ones_like(faint), 7)[:, :2].abs().max() < 0.01
