"""Two systems beside each other on one TF tree: namespaces keep their topics apart, prefixes their frames."""

from collections import defaultdict

import pytest
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from radgs_reg.msg import VertebraPoseArray
from small_case import LEVELS
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from radgs_core.acquisition.pairing import VIEWS
from radgs_reg_ros import qos

LONG = 120.0
SIDES = ("left", "right")
BASES = {side: f"{side}/carm_base" for side in SIDES}
"""Each C-arm stands on its own."""
OPTICAL = [f"{view}_optical" for view in VIEWS]


@pytest.fixture(scope="module")
def systems(start_node, remote, case_folder):
    """A simulator and a registration node a side, active."""
    physics = {"image_size": 128, "pixel_mm": 2.4, "physics": "plain", "photons": 20_000.0}
    nodes = []
    for seed, side in enumerate(SIDES):
        common = {"case": str(case_folder), "frame_prefix": f"{side}/", "reference_frame": BASES[side]}
        arguments = ("-r", f"__ns:=/{side}")
        remote.watch(
            start_node("carm_simulator_node", *arguments, **common, **physics, seed=seed),
            start_node("registration_node", *arguments, **common),
        )
        nodes += [f"/{side}/carm_simulator_node", f"/{side}/registration_node"]
    remote.bring_up(nodes, LONG)


@pytest.fixture(scope="module")
def transforms(systems, remote):
    """All that is sent on /tf, and what /tf_static has."""
    return {
        "/tf": remote.listen(TFMessage, "/tf", qos.tf()),
        "/tf_static": remote.listen(TFMessage, "/tf_static", qos.tf_static_in()),
    }


@pytest.fixture(scope="module", params=SIDES)
def registered(request, systems, transforms, remote, diagnostics):
    """A side whose X-rays are registered, with its markers and the headers of its poses."""
    side = request.param
    markers = remote.listen(MarkerArray, f"/{side}/markers", qos.last_result())
    measured = [remote.listen(PoseStamped, f"/{side}/vertebra_{level}/measured_cp", qos.events()) for level in LEVELS]
    truth = remote.listen(VertebraPoseArray, f"/{side}/ground_truth/vertebra_poses", qos.last_result())
    diagnostics.wait(
        "subscribers",
        lambda s: s.name.startswith(f"{side}/") and all(value.value == "1" for value in s.values),
        f"the registration node of the {side}",
    )
    answer = remote.trigger(f"/{side}/carm_simulator_node/expose", LONG)
    assert answer.success, answer.message
    (start,) = remote.wait_for(lambda: truth, "the truth", 20.0)
    message = PoseWithCovarianceStamped()
    message.header.frame_id = BASES[side]
    message.pose.pose = start.vertebrae[0].ct_pose
    since = diagnostics.mark()
    remote.publisher(PoseWithCovarianceStamped, f"/{side}/initialpose", qos.events()).publish(message)
    diagnostics.wait_for_value("initialpose", "frame", lambda frame: frame == BASES[side], since)
    answer = remote.trigger(f"/{side}/registration_node/register", LONG)
    assert answer.success, answer.message
    remote.wait_for(lambda: all(measured) and any(m.markers[0].points for m in markers), "the result", 20.0)
    return side, markers[-1].markers, [message.header for (message,) in measured]


def test_markers_lie_in_the_frames_of_their_system(registered):
    side, markers, _ = registered
    frames = [f"{side}/vertebra_{level}{suffix}" for level in LEVELS for suffix in ("_ct", "")]
    assert [marker.header.frame_id for marker in markers] == frames
    assert {marker.action for marker in markers} == {Marker.ADD}


def test_poses_are_in_the_reference_frame_as_it_is_given(registered):
    assert {header.frame_id for header in registered[2]} == {BASES[registered[0]]}


def test_every_frame_has_one_parent(registered, transforms, remote):
    side = registered[0]
    wanted = {f"{side}/vertebra_{level}": BASES[side] for level in LEVELS}
    wanted |= {f"{side}/vertebra_{level}_ct": f"{side}/vertebra_{level}" for level in LEVELS}
    wanted |= {f"{side}/{frame}": f"{side}/carm_arc" for frame in OPTICAL}
    wanted |= {f"{side}/carm_arc": f"{side}/carm_tilt", f"{side}/carm_tilt": BASES[side]}

    def parents() -> dict[str, set[str]]:
        found = defaultdict(set)
        for messages in transforms.values():
            for transform in (t for message in messages for t in message.transforms):
                found[transform.child_frame_id].add(transform.header.frame_id)
        return found

    remote.wait_for(lambda: wanted.keys() <= parents().keys(), "all frames", 20.0)
    assert {child: parents()[child] for child in wanted} == {child: {parent} for child, parent in wanted.items()}
    assert all(child.startswith(("left/", "right/")) for child in parents()), "no name without its prefix"
