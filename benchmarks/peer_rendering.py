"""nanodrr's digitally reconstructed radiographs of a volume, differentiable in the volume's pose."""

import numpy as np
import torch
from nanodrr.data import Subject
from nanodrr.drr import render
from torchio import ScalarImage

from radgs_core.geometry.camera import XrayCamera
from radgs_core.xray.raycast import RayCastVolume


class Drr:
    """A volume, ready to be rendered again and again.

    Args:
        volume: what is integrated, 1/mm.

    Attributes:
        corners_ct_mm: (8, 3) of the box beyond which the interpolated volume is zero, CT coordinates.
    """

    def __init__(self, volume: RayCastVolume) -> None:
        image = ScalarImage(tensor=volume.values.permute(2, 1, 0)[None], affine=volume.T_ct_voxel)
        self._subject = Subject.from_images(image, convert_to_mu=False)
        ends = np.meshgrid(*[(-1.0, n) for n in volume.values.shape[::-1]], indexing="ij")
        corners = np.stack(ends, -1).reshape(-1, 3)
        self.corners_ct_mm = corners @ volume.T_ct_voxel[:3, :3].T + volume.T_ct_voxel[:3, 3]

    def image(self, camera: XrayCamera, T_reference_ct: torch.Tensor, samples: int) -> torch.Tensor:
        """Line integrals (height, width), float32.

        Args:
            camera: the view.
            T_reference_ct: (4, 4) float64 where the volume is, mm.
            samples: along that part of a ray which is inside the volume.
        """
        k = camera.camera_matrix.copy()
        k[:2, 2] += 0.5  # nanodrr's pixel centres
        k_inv = torch.tensor(np.linalg.inv(k), dtype=torch.float32)[None]
        T_camera_ct = torch.tensor(camera.T_camera_reference) @ T_reference_ct
        depths = torch.tensor(self.corners_ct_mm) @ T_camera_ct[2, :3].detach() + T_camera_ct[2, 3].detach()
        behind = (depths.max()[None] + 1.0).float()
        rt_inv = torch.linalg.inv(T_camera_ct).float()[None]
        return render(self._subject, k_inv, rt_inv, behind, camera.height, camera.width, samples)[0, 0]


def cropped(camera: XrayCamera, rows: slice, columns: slice) -> XrayCamera:
    """The part of a view that holds these rows and columns, both with start and stop, at least 8 of each."""
    matrix = camera.camera_matrix.copy()
    matrix[:2, 2] -= columns.start, rows.start
    width, height = columns.stop - columns.start, rows.stop - rows.start
    return XrayCamera(width, height, matrix, camera.T_reference_camera, camera.intensity, camera.name)
