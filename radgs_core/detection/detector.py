"""Where the landmarks of every level are in both X-rays."""

from collections.abc import Sequence

import numpy as np
import torch

from radgs_core.detection.detections import Detections
from radgs_core.detection.images import canonical_camera, network_input
from radgs_core.detection.landmarks import LANDMARKS
from radgs_core.detection.network import HEAT_MAP_STRIDE, DetectionNetwork
from radgs_core.errors import InputError
from radgs_core.xray.observation import Observation

WINDOW = 4
"""A landmark's place is the mean of its heat map within so many of the map's pixels around the peak."""
ROUNDING_PX = 0.3
"""Standard deviation that is left where a heat map is a single peak, pixels of the map."""


class Detector:
    """Finds levels that a network was trained for.

    Args:
        network: in evaluation mode.
        trained_levels: whose landmarks its heat maps are, in this order.
        levels: which of them to find.

    Raises:
        InputError: the network was not trained for one of these levels.
    """

    def __init__(self, network: DetectionNetwork, trained_levels: Sequence[str], levels: Sequence[str]) -> None:
        for level in levels:
            if level not in trained_levels:
                raise InputError(
                    f"the networks were not trained for {level}, only for {', '.join(trained_levels)}; prepare the case"
                    " anew with radgs-reg prepare --minutes."
                )
        self._network = network
        self._chosen = torch.tensor([trained_levels.index(level) for level in levels])

    def detect(self, observations: Sequence[Observation]) -> Detections:
        """Detect in AP and lateral X-rays."""
        lateral = torch.arange(len(observations), dtype=torch.float32)
        with torch.inference_mode():
            maps, visible = self._network(network_input(observations), lateral)
            maps = maps.unflatten(1, (-1, len(LANDMARKS)))[:, self._chosen]
            visible = visible.unflatten(1, (-1, len(LANDMARKS)))[:, self._chosen].sigmoid()
            places, deviations, mass = _peaks(maps)
        pixels, sigma = np.empty((*places.shape,)), np.empty(deviations.shape)
        for view, observation in enumerate(observations):
            taken, seen = observation.camera.camera_matrix, canonical_camera(observation.camera).camera_matrix
            in_network = HEAT_MAP_STRIDE * places[view].double().numpy() + (HEAT_MAP_STRIDE - 1) / 2
            rays = np.concatenate([in_network, np.ones((*in_network.shape[:-1], 1))], -1) @ np.linalg.inv(seen).T
            pixels[view] = (rays @ taken.T)[..., :2]
            sigma[view] = HEAT_MAP_STRIDE * taken[0, 0] / seen[0, 0] * deviations[view].numpy()
        return Detections(pixels, sigma, (visible * mass).clamp(0, 1).double().numpy())


def _peaks(maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of each map: column and row (..., 2) of its peak, standard deviation (...), share (...) of it in the peak."""
    height, width = maps.shape[-2:]
    share = maps.flatten(-2).softmax(-1)
    top = share.argmax(-1)
    x, y = torch.arange(width), torch.arange(height)
    near_x = (x - (top % width)[..., None]).abs() <= WINDOW
    near_y = (y - (top // width)[..., None]).abs() <= WINDOW
    inside = share.view_as(maps) * (near_x[..., None, :] & near_y[..., None])
    mass = inside.sum((-1, -2))
    inside = inside / mass[..., None, None]
    by_x, by_y = inside.sum(-2), inside.sum(-1)
    place = torch.stack([(by_x * x).sum(-1), (by_y * y).sum(-1)], -1)
    variance = (by_x * (x - place[..., :1]).square()).sum(-1) + (by_y * (y - place[..., 1:]).square()).sum(-1)
    return place, (variance / 2 + ROUNDING_PX**2).sqrt(), mass
