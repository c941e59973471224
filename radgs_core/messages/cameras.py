"""X-ray cameras in sensor_msgs/CameraInfo and in the core."""

import numpy as np

from radgs_core.errors import InputError
from radgs_core.geometry.camera import XrayCamera
from radgs_core.messages.factory import Message, MessageFactory
from radgs_core.messages.headers import check_header


def camera_from_info(message: Message, topic: str, intensity: str) -> XrayCamera:
    """The intrinsics of a view as an XrayCamera that stands at the origin: where it is comes from TF.

    Args:
        message: CameraInfo of undistorted images, without binning or region of interest: ``k``, ``width`` and
            ``height`` are used; ``r`` and ``p`` must not contradict ``k``.
        topic: what an error calls the camera.
        intensity: ``transmission`` or ``attenuation``, what the pixels of this view mean.

    Raises:
        InputError: empty frame_id or stamp, a singular matrix, lens distortion, rectification, binning or a region of
            interest.
    """
    check_header(message.header, topic)
    if any(message.d):
        raise InputError(f"{topic}: the camera has lens distortion (d is not zero); rectify the images first.")
    if max(message.binning_x, message.binning_y) > 1 or message.roi.width or message.roi.height:
        raise InputError(f"{topic}: binning and regions of interest are not read; describe the published image in k.")
    k = np.array(message.k, dtype=np.float64).reshape(3, 3)
    camera = XrayCamera(
        width=message.width,
        height=message.height,
        camera_matrix=k,
        T_reference_camera=np.eye(4),
        intensity=intensity,  # type: ignore[arg-type]  # XrayCamera checks the word itself
        name=topic,
    )
    r = np.array(message.r, dtype=np.float64).reshape(3, 3)
    p = np.array(message.p, dtype=np.float64).reshape(3, 4)
    # zero: the driver says nothing of them
    if (r.any() and not np.allclose(r, np.eye(3))) or (
        p.any() and not np.allclose(p, np.hstack([k, np.zeros((3, 1))]))
    ):
        raise InputError(
            f"{topic}: r and p describe another camera than k does; describe the published image in k, with r the"
            " identity and p = [k | 0], or both zero."
        )
    return camera


def info_from_camera(factory: MessageFactory, camera: XrayCamera, header: Message) -> Message:
    """The CameraInfo of a view; its pose goes to TF."""
    matrix = camera.camera_matrix
    projection = np.hstack([matrix, np.zeros((3, 1))])
    return factory.make(
        "sensor_msgs/msg/CameraInfo",
        header=header,
        width=camera.width,
        height=camera.height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=matrix.ravel().tolist(),
        r=np.eye(3).ravel().tolist(),
        p=projection.ravel().tolist(),
    )
