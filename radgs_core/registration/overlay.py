"""Outlines of vertebrae on an X-ray, for people to check."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case, Vertebra
from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import transform_points
from radgs_core.xray.observation import observe

COLOURS = ((255, 196, 0), (0, 200, 255), (120, 230, 80), (255, 120, 220), (255, 140, 60), (170, 150, 255))
"""RGB, by the level's place in the case; repeated when they run out."""

BRIGHTEST = 0.7
UNUSABLE = 0.3
"""Of full brightness."""
NOISE_BLUR_PX = 1.0
DIM = 0.75
RIM = (0, 0, 0)
DASH_PX = 3


def draw_overlay(
    image: NDArray,
    camera: XrayCamera,
    case: Case,
    poses: Mapping[str, NDArray[np.float64]],
    before: Mapping[str, NDArray[np.float64]] | None = None,
) -> NDArray[np.uint8]:
    """Draw the silhouettes of vertebrae, one colour a level, with the level's name beside it.

    Args:
        image: (H, W) pixels of any real type, as acquired.
        camera: the view, same size as the image.
        case: meshes and the order of the levels.
        poses: (4, 4) ``T_reference_ct`` per level, mm; solid outlines.
        before: the same for an earlier state; dim and dashed.

    Returns:
        (H, W, 3) RGB on the X-ray, bone bright; what registration does not use of it is darkened.

    Raises:
        InputError: as `observe`.
    """
    canvas = np.repeat(_eight_bits(image, camera)[:, :, None], 3, axis=2)
    colours = {label: COLOURS[i % len(COLOURS)] for i, label in enumerate(case.levels)}
    for label, pose in (before or {}).items():
        dim = tuple(int(DIM * channel) for channel in colours[label])
        for contour in _silhouette(case.levels[label], pose, camera):
            for begin in range(0, len(contour), 2 * DASH_PX):
                cv2.polylines(canvas, [contour[begin : begin + DASH_PX]], False, dim, 1, cv2.LINE_AA)
    for label, pose in poses.items():
        contours = _silhouette(case.levels[label], pose, camera)
        cv2.polylines(canvas, contours, True, colours[label], 1, cv2.LINE_AA)
        if contours:
            _write_beside(canvas, label, np.concatenate(contours)[:, 0], colours[label])
    return canvas


def _eight_bits(image: NDArray, camera: XrayCamera) -> NDArray[np.uint8]:
    """The X-ray as radiographs are read: bone bright, contrast evened, dark enough for outlines to stand out."""
    observed = observe(image, camera)
    usable = observed.usable.numpy() > 0
    line_integral = cv2.GaussianBlur(observed.line_integral.numpy(), (0, 0), NOISE_BLUR_PX)
    low, high = np.percentile(line_integral[usable] if usable.any() else line_integral, (0.5, 99.5))
    grey = np.round(255 * np.clip((line_integral - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)
    even = cv2.createCLAHE(clipLimit=4.0, tileGridSize=(6, 6)).apply(grey)
    return np.where(usable, BRIGHTEST * even, UNUSABLE * even).astype(np.uint8)


def _silhouette(vertebra: Vertebra, T_reference_ct: NDArray[np.float64], camera: XrayCamera) -> list[NDArray[np.int32]]:
    """Outer contours of the projected mesh, each (N, 1, 2) pixels; none off the image or behind the source."""
    points = transform_points(camera.T_camera_reference @ T_reference_ct, vertebra.mesh_vertices_mm.astype(np.float64))
    if (points[:, 2] <= 0).any():
        return []
    pixels = points @ camera.camera_matrix.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    mask = np.zeros((camera.height, camera.width), np.uint8)
    near = np.clip(np.round(pixels), -(2**15), 2**15).astype(np.int32)
    # all edges bound the same area as all triangles, and are drawn in one call
    cv2.polylines(mask, list(near[vertebra.mesh_faces]), True, 255)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(contour, dtype=np.int32) for contour in contours]


def _write_beside(canvas: NDArray[np.uint8], text: str, outline: NDArray[np.int32], colour: tuple[int, ...]) -> None:
    """Write to the right of an outline (N, 2), or to its left where the image ends."""
    scale = max(0.4, canvas.shape[1] / 1200)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = int(outline[:, 0].max()) + 4
    if x + width > canvas.shape[1]:
        x = max(0, int(outline[:, 0].min()) - 4 - width)
    y = int(np.clip(outline[:, 1].mean() + height / 2, height, canvas.shape[0] - 1))
    for ink, thickness in ((RIM, 3), (colour, 1)):
        cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thickness, cv2.LINE_AA)
