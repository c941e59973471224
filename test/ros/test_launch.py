"""The launch file, with the real launch_ros where there is one (a ROS installation); PyPI has none."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lifecycle_msgs.srv import GetState

LAUNCH_FILE = Path(__file__).parents[2] / "launch" / "radgs_reg.launch.py"
NODES = ("/theatre/registration_node", "/theatre/carm_simulator_node")

launch_ros = pytest.importorskip("launch_ros", reason="launch_ros is not installed; it comes with ROS, not from PyPI")


def description():
    from launch import LaunchContext
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    return PythonLaunchDescriptionSource(str(LAUNCH_FILE)).get_launch_description(LaunchContext())


def test_every_argument_is_described():
    arguments = {argument.name: argument.description for argument in description().get_launch_arguments()}
    assert set(arguments) == {
        "case", "params_file", "namespace", "use_sim_time", "autostart", "log_level", "simulate"
    }  # fmt: skip
    assert all(text and text != "no description given" for text in arguments.values())


def test_both_nodes_come_up_active_in_their_namespace_and_end_with_launch(domain, remote, case_folder, tmp_path):
    service = (
        "import sys; from launch import LaunchDescription, LaunchService;"
        "from launch.actions import IncludeLaunchDescription as Include;"
        "from launch.launch_description_sources import PythonLaunchDescriptionSource as Source;"
        "arguments = [tuple(a.split(':=')) for a in sys.argv[2:]];"
        "service = LaunchService();"
        "included = Include(Source(sys.argv[1]), launch_arguments=arguments);"
        "service.include_launch_description(LaunchDescription([included]));"
        "sys.exit(service.run())"
    )
    params = tmp_path / "room.yaml"
    params.write_text("/**/carm_simulator_node:\n  ros__parameters: {image_size: 64, pixel_mm: 4.8, physics: plain}\n")
    arguments = [f"case:={case_folder}", "namespace:=theatre", "simulate:=true", f"params_file:={params}"]
    process = subprocess.Popen(
        [sys.executable, "-c", service, str(LAUNCH_FILE), *arguments],
        env={**os.environ, "ROS_DOMAIN_ID": str(domain)},
        start_new_session=True,
    )
    try:
        for node in NODES:
            remote.wait_for(lambda node=node: state(remote, node) == "active", f"{node} active", 60.0)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        assert process.wait(30.0) == 0


def state(remote, node: str) -> str:
    return remote.call(GetState, f"{node}/get_state", GetState.Request(), 30.0).current_state.label
