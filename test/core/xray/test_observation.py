"""Line integrals and usable pixels from images."""

import numpy as np
import pytest
from numpy.typing import NDArray

from radgs_core.geometry.camera import XrayCamera
from radgs_core.xray.blades import _Edges, inside_blades
from radgs_core.xray.collimator import Collimator
from radgs_core.xray.observation import observe

SIZE = 160


def camera(intensity: str = "transmission") -> XrayCamera:
    return XrayCamera(SIZE, SIZE, [[500.0, 0, 79.5], [0, 500.0, 79.5], [0, 0, 1]], np.eye(4), intensity)


def body(rng: np.random.Generator) -> NDArray[np.float64]:
    """Line integrals of a round body with a soft edge and noise."""
    row, column = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    return 3 * np.exp(-(row**2 + column**2) / (2 * 60**2)) + rng.normal(0, 0.03, (SIZE, SIZE))


def test_transmission_becomes_line_integrals_up_to_a_constant() -> None:
    line_integral = body(np.random.default_rng(0))
    observed = observe(5e4 * np.exp(-line_integral), camera())
    difference = observed.line_integral.numpy() - line_integral
    assert np.ptp(difference) < 1e-4
    assert bool(observed.usable.all())


def test_pixels_without_a_photon_stay_finite() -> None:
    counts = 50 * np.exp(-body(np.random.default_rng(0)))
    counts[10:12, 10:12] = 0
    observed = observe(counts, camera())
    assert bool(observed.line_integral.isfinite().all())
    assert float(observed.line_integral[10, 10]) == float(observed.line_integral.max())


@pytest.mark.parametrize("intensity", ["transmission", "attenuation"])
def test_saturated_air_is_not_used(intensity: str) -> None:
    line_integral = body(np.random.default_rng(0))
    air = np.zeros((SIZE, SIZE), bool)
    air[60:100, 20:50] = True
    pixels = np.maximum(line_integral, 0.2) if intensity == "attenuation" else np.exp(-np.maximum(line_integral, 0.2))
    pixels[air] = pixels.min() if intensity == "attenuation" else pixels.max()
    observed = observe(pixels, camera(intensity))
    assert not observed.usable[60:100, 20:50].any()
    assert bool(observed.usable[80, 80])


@pytest.mark.parametrize("turn_deg", [-3.0, 0.0, 2.5])
def test_blades_are_found_and_nothing_else_is_cut(turn_deg: float) -> None:
    collimator = Collimator(left=0.06, right=0.03, top=0.08, bottom=0.05, rotation_deg=turn_deg, leak=0.01)
    opening = collimator.transmission(SIZE, SIZE)
    scatter = 0.2  # fills in the shadow
    counts = (np.exp(-body(np.random.default_rng(0))) * opening + scatter * np.exp(-2)) / (1 + scatter)
    inside = inside_blades(-np.log(counts).astype(np.float32))
    assert inside[opening < 0.5].mean() < 0.02  # where two tilted blades meet, a few pixels may be left
    assert inside[opening > 0.99].mean() > 0.85


def test_without_blades_everything_is_inside() -> None:
    assert inside_blades(body(np.random.default_rng(1)).astype(np.float32)).all()


@pytest.mark.parametrize("size", [8, 9, 10])
def test_in_images_too_small_for_it_no_blade_is_found(size: int) -> None:
    small = XrayCamera(size, size, [[50.0, 0, 4], [0, 50.0, 4], [0, 0, 1]], np.eye(4))
    counts = 1000 + np.random.default_rng(0).normal(size=(size, size))
    assert observe(counts, small).usable.shape == (size, size)
    assert inside_blades(-np.log(counts).astype(np.float32)).all()


def test_few_sizes_of_images_are_remembered() -> None:
    for size in range(20, 30):
        inside_blades(np.random.default_rng(0).normal(size=(size, size)).astype(np.float32))
    assert _Edges.of.cache_info().currsize <= 4


def test_sums_along_edges_are_those_of_their_pixels() -> None:
    height, band = 50, 9
    image = np.random.default_rng(0).normal(size=(height, band))
    edges = _Edges.of(height, band)
    expected = np.zeros((len(edges.tilts), band))
    for slope, tilts in enumerate(edges.tilts):
        for offset in range(band):
            columns = offset + tilts
            inside = (columns >= 0) & (columns < band)
            expected[slope, offset] = image[np.flatnonzero(inside), columns[inside]].sum()
    np.testing.assert_allclose(edges.sums(image), expected, atol=1e-12)
