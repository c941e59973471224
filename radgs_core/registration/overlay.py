"""Outlines of vertebrae on an X-ray, for people to check."""

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from radgs_core.case import Case, Vertebra
from radgs_core.geometry.camera import XrayCamera
from radgs_core.geometry.rigid import transform_points
from radgs_core.xray.observation import Observation

COLOURS = ((255, 196, 0), (0, 200, 255), (120, 230, 80), (255, 120, 220), (255, 140, 60), (170, 150, 255))
"""RGB, by the level's place in the case; repeated when they run out."""

BRIGHTEST = 0.7
UNUSABLE = 0.3
"""Of full brightness."""
GRAIN_PX = 2
BLOCK = 2
DIM = 0.75
RIM = (0, 0, 0)
DASH_PX = 3


def draw_overlay(
    observation: Observation,
    case: Case,
    poses: Mapping[str, NDArray[np.float64]],
    before: Mapping[str, NDArray[np.float64]] | None = None,
) -> NDArray[np.uint8]:
    """Draw the silhouettes of vertebrae, one colour a level, with the level's name beside it.

    Args:
        observation: the X-ray, as registration sees it.
        case: meshes and the order of the levels.
        poses: (4, 4) ``T_reference_ct`` per level, mm; solid outlines.
        before: the same for an earlier state; dim and dashed.

    Returns:
        (H, W, 3) RGB on the X-ray, bone bright; what registration does not use of it is darkened.
    """
    camera = observation.camera
    canvas = np.asarray(cv2.merge([_eight_bits(observation)] * 3), dtype=np.uint8)
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


def _eight_bits(observation: Observation) -> NDArray[np.uint8]:
    """The X-ray as radiographs are read: bone bright, contrast evened, dark enough for outlines to stand out.

    It is made at half the resolution, which averages noise away and takes a quarter of the time.
    """
    height, width = observation.line_integral.shape
    line_integral, usable = (
        _averaged(image.numpy(), GRAIN_PX) for image in (observation.line_integral, observation.usable)
    )
    # averages of blocks tell how bright it is as well as all pixels, and noise has no say
    some, some_usable = _averaged(line_integral, BLOCK), _averaged(usable, BLOCK)
    low, high = np.percentile(some[some_usable == 1] if (some_usable == 1).any() else some, (0.5, 99.5))
    scale = 255 / max(high - low, 1e-6)
    # one image, and nothing added to it: scaled, shifted and saturated in one go
    grey = cv2.addWeighted(line_integral, scale, line_integral, 0, -scale * low, dtype=cv2.CV_8U)
    even = cv2.createCLAHE(clipLimit=4.0, tileGridSize=(6, 6)).apply(grey)
    dark = cv2.convertScaleAbs(even, alpha=UNUSABLE)
    shown = cv2.copyTo(cv2.convertScaleAbs(even, alpha=BRIGHTEST), (usable > 0).view(np.uint8), dark)
    return np.asarray(cv2.resize(shown, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _averaged(image: NDArray[np.float32], pixels: int) -> NDArray[np.float32]:
    """Averages of blocks of so many pixels along each edge."""
    size = tuple(max(1, length // pixels) for length in reversed(image.shape))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _silhouette(vertebra: Vertebra, T_reference_ct: NDArray[np.float64], camera: XrayCamera) -> list[NDArray[np.int32]]:
    """Outer contours of the projected mesh, each (N, 1, 2) pixels; none off the image or behind the source."""
    points = transform_points(camera.T_camera_reference @ T_reference_ct, vertebra.mesh_vertices_mm.astype(np.float64))
    if (points[:, 2] <= 0).any():
        return []
    pixels = points @ camera.camera_matrix.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    near = np.clip(np.round(pixels), -(2**15), 2**15).astype(np.int32)
    left, top = np.clip(near.min(0), 0, (camera.width, camera.height))
    right, bottom = np.clip(near.max(0) + 1, 0, (camera.width, camera.height))
    if left == right or top == bottom:
        return []
    mask = np.zeros((bottom - top, right - left), np.uint8)
    # these edges bound the same area as all triangles do
    cv2.polylines(mask, list(near[_rim(vertebra.mesh_faces, pixels)] - (left, top)), False, 255)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(int(left), int(top)))
    return [np.asarray(contour, dtype=np.int32) for contour in contours]


def _rim(faces: NDArray[np.int32], pixels: NDArray[np.float64]) -> NDArray[np.int64]:
    """Edges (E, 2) of a closed mesh between a face that is turned to the source and one that is turned away."""
    corners, edges, (one, other) = _edges(np.ascontiguousarray(faces, dtype=np.int32).tobytes())
    x, y = np.ascontiguousarray(pixels.T, dtype=np.float32)
    (xa, xb, xc), (ya, yb, yc) = x[corners], y[corners]
    towards = (xb - xa) * (yc - ya) < (yb - ya) * (xc - xa)
    return edges[towards[one] != towards[other]]


@lru_cache(maxsize=32)
def _edges(faces: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Corners (3, F) of a closed mesh, its edges (E, 2) and the two faces beside each (2, E), of faces (F, 3) int32: it
    takes longer to find them than to draw them."""
    corners = np.frombuffer(faces, dtype=np.int32).reshape(-1, 3).astype(np.int64)
    edges = np.sort(corners[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    # every edge is one of two faces, so sorting brings them together
    order = np.lexsort(edges.T).reshape(-1, 2)
    return np.ascontiguousarray(corners.T), edges[order[:, 0]], np.ascontiguousarray(order.T // 3)


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
