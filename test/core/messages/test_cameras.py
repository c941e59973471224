import numpy as np
import pytest

from radgs_core.messages.cameras import camera_from_info, info_from_camera
from radgs_core.messages.headers import header_of
from radgs_core.messages.recorded_messages import RecordedMessages
from radgs_core.registration.pipeline import InputError, XrayCamera

MESSAGES = RecordedMessages()
HEADER = header_of(MESSAGES, 5_000_000_000, "ap_optical")
MATRIX = np.array([[1700.0, 0.0, 250.0], [0.0, 1690.0, 260.5], [0.0, 0.0, 1.0]])


def info():
    return info_from_camera(MESSAGES, XrayCamera(640, 480, MATRIX, np.eye(4)), HEADER)


def test_intrinsics_round_trip():
    camera = camera_from_info(info(), "ap/camera_info", "attenuation")
    assert (camera.width, camera.height, camera.intensity) == (640, 480, "attenuation")
    np.testing.assert_array_equal(camera.camera_matrix, MATRIX)
    np.testing.assert_array_equal(camera.T_reference_camera, np.eye(4))


def with_changes(**changes):
    message = info()
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def test_distortion_is_refused():
    with pytest.raises(InputError, match=r"ap/camera_info.*distortion.*rectify"):
        camera_from_info(with_changes(d=[0.1, 0.0, 0.0, 0.0, 0.0]), "ap/camera_info", "transmission")


@pytest.mark.parametrize(
    "changes",
    [
        {"r": [0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]},
        {"p": [850.0, 0.0, 125.0, 0.0, 0.0, 845.0, 130.0, 0.0, 0.0, 0.0, 1.0, 0.0]},
        {"p": [1700.0, 0.0, 250.0, -90.0, 0.0, 1690.0, 260.5, 0.0, 0.0, 0.0, 1.0, 0.0]},
    ],
    ids=["rotated", "scaled", "stereo"],
)
def test_another_camera_in_r_or_p_is_refused(changes):
    with pytest.raises(InputError, match=r"ap/camera_info: r and p describe another camera than k does; describe"):
        camera_from_info(with_changes(**changes), "ap/camera_info", "transmission")


def test_a_driver_need_not_fill_in_r_and_p():
    message = with_changes(r=[0.0] * 9, p=[0.0] * 12)
    np.testing.assert_array_equal(camera_from_info(message, "", "transmission").camera_matrix, MATRIX)


def test_binning_is_refused():
    with pytest.raises(InputError, match=r"ap/camera_info.*binning"):
        camera_from_info(with_changes(binning_x=2), "ap/camera_info", "transmission")


def test_a_region_of_interest_is_refused():
    message = info()
    message.roi.width = 100
    with pytest.raises(InputError, match=r"ap/camera_info.*region"):
        camera_from_info(message, "ap/camera_info", "transmission")
