import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.messages.transforms import (
    matrix_from_pose,
    matrix_from_transform,
    pose_from_matrix,
    transform_from_matrix,
)
from radgs_core.registration.pipeline import InputError

MESSAGES = RecordedMessages()


def some_transform() -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec([0.4, -1.1, 0.7]).as_matrix()
    matrix[:3, 3] = [120.0, -35.5, 900.25]
    return matrix


def test_metres_and_quaternion_of_a_known_transform():
    quarter_turn_about_z = np.array([[0.0, -1, 0, 1000], [1, 0, 0, 20], [0, 0, 1, -3], [0, 0, 0, 1]])
    message = transform_from_matrix(MESSAGES, quarter_turn_about_z)
    assert (message.translation.x, message.translation.y, message.translation.z) == (1.0, 0.02, -0.003)
    rotation = message.rotation
    np.testing.assert_allclose(
        [rotation.x, rotation.y, rotation.z, rotation.w], [0, 0, np.sqrt(0.5), np.sqrt(0.5)], atol=1e-15
    )


def test_transforms_and_poses_round_trip():
    matrix = some_transform()
    np.testing.assert_allclose(matrix_from_transform(transform_from_matrix(MESSAGES, matrix), "t"), matrix, atol=1e-12)
    np.testing.assert_allclose(matrix_from_pose(pose_from_matrix(MESSAGES, matrix), "p"), matrix, atol=1e-12)


def test_one_rotation_has_one_quaternion():
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat([0.1, 0.2, 0.3, -0.9]).as_matrix()
    assert transform_from_matrix(MESSAGES, matrix).rotation.w > 0


def part(name: str, **fields: float) -> object:
    return MESSAGES.make(f"geometry_msgs/msg/{name}", **fields)


@pytest.mark.parametrize(
    ("rotation", "sentence"),
    [
        ({"w": 0.0}, "not a rigid transform.*norm 0"),
        ({"w": 1.3}, "not a rigid transform.*norm 1.3"),
        ({"z": float("nan")}, "NaN or infinite"),
    ],
)
def test_what_is_not_rigid_is_refused(rotation, sentence):
    quaternion = part("Quaternion", **rotation)
    with pytest.raises(InputError, match=f"the frame of the test.*{sentence}"):
        matrix_from_transform(part("Transform", rotation=quaternion), "the frame of the test")
    with pytest.raises(InputError, match=f"the frame of the test.*{sentence}"):
        matrix_from_pose(part("Pose", orientation=quaternion), "the frame of the test")


def test_infinite_positions_are_refused():
    with pytest.raises(InputError, match="NaN or infinite"):
        matrix_from_transform(part("Transform", translation=part("Vector3", x=float("inf"))), "t")
    with pytest.raises(InputError, match="NaN or infinite"):
        matrix_from_pose(part("Pose", position=part("Point", y=float("nan"))), "p")


def test_an_empty_pose_is_the_identity():
    np.testing.assert_array_equal(matrix_from_pose(part("Pose"), "p"), np.eye(4))
