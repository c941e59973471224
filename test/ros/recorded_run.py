"""A recording of one run: a C-arm on a moving gantry takes X-rays of the small case."""

from pathlib import Path

import numpy as np
from small_case import LEVELS

from radgs_core.case import Case
from radgs_core.io.bag_writer import written_bag
from radgs_core.messages.cameras import info_from_camera
from radgs_core.messages.headers import header_of
from radgs_core.messages.images import image_from_pixels
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.messages.topics import CAMERA_INFO, IMAGE, INITIALPOSE, TF, TF_MESSAGE, TF_STATIC
from radgs_core.messages.transforms import pose_from_matrix, tf_message
from radgs_core.xray import CArm, Physics, Simulator, biplanar_geometry, body_pose, take_study

S = 1_000_000_000
BEGIN_S, FIRST_S, SECOND_S = 1000, 1001, 1020
"""When the recording begins, and its two exposures are taken: further apart than what TF keeps."""
MESSAGES = RecordedMessages()


def record_run(case_folder: Path, path: Path) -> Path:
    """Write it: the start, the views on the gantry (``/tf_static``), and with each exposure the gantry (``/tf``)."""
    case = Case.load(case_folder)
    pose = body_pose(case, LEVELS)
    simulator = Simulator(case, biplanar_geometry(CArm(pixel_mm=2.4, size=128)), pose)
    physics = Physics.named("plain", np.random.default_rng(0), 20_000.0)
    with written_bag(path, "mcap", MESSAGES.types, {}) as writer:

        def write(topic: str, kind: str, second: int, message: object) -> None:
            writer.write(topic, kind, 10, topic == TF_STATIC, second * S, MESSAGES.serialised(kind, message))

        header = header_of(MESSAGES, BEGIN_S * S, "carm_base")
        start = MESSAGES.make("geometry_msgs/msg/PoseWithCovariance", pose=pose_from_matrix(MESSAGES, pose))
        write("/initialpose", INITIALPOSE, BEGIN_S, MESSAGES.make(INITIALPOSE, header=header, pose=start))
        T_gantry_view = {f"{view}_optical": c.T_reference_camera for view, c in simulator.geometry.views.items()}
        views = tf_message(MESSAGES, header_of(MESSAGES, BEGIN_S * S, "gantry"), T_gantry_view)
        write(TF_STATIC, TF_MESSAGE, BEGIN_S, views)
        for second in (FIRST_S, SECOND_S):
            study = take_study(case, simulator, physics, 3.0, 3.0, second)
            gantry = tf_message(MESSAGES, header_of(MESSAGES, second * S, "carm_base"), {"gantry": np.eye(4)})
            write(TF, TF_MESSAGE, second, gantry)
            for view, pixels in study.images.items():
                header = header_of(MESSAGES, second * S, f"{view}_optical")
                camera = info_from_camera(MESSAGES, study.geometry.views[view], header)
                counts = np.round(pixels).astype(np.uint16)
                write(f"/{view}/camera_info", CAMERA_INFO, second, camera)
                write(f"/{view}/image", IMAGE, second, image_from_pixels(MESSAGES, counts, "mono16", header))
    return path
