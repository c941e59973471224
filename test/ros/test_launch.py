"""The launch files, with the real launch_ros where there is one (a ROS installation); PyPI has none."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python

FOLDER = Path(__file__).parents[2] / "launch"
COMMON = {"case", "params_file", "namespace", "frame_prefix", "use_sim_time", "autostart", "log_level", "rviz"}
ARGUMENTS = {
    "radgs_reg.launch.py": COMMON,
    "simulation.launch.py": COMMON
    | {"physics", "seed", "motion_mm", "motion_deg", "clock", "real_time_factor", "robot_model"},
}
NODES = ("/theatre/registration_node", "/theatre/carm_simulator_node")
SERVICE = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

arguments = [tuple(argument.split(":=")) for argument in sys.argv[2:]]
service = LaunchService()
included = IncludeLaunchDescription(PythonLaunchDescriptionSource(sys.argv[1]), launch_arguments=arguments)
service.include_launch_description(LaunchDescription([included]))
sys.exit(service.run())
"""

launch_ros = pytest.importorskip("launch_ros", reason="launch_ros is not installed; it comes with ROS, not from PyPI")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_argument_is_described(name):
    from launch import LaunchContext
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    description = PythonLaunchDescriptionSource(str(FOLDER / name)).get_launch_description(LaunchContext())
    arguments = {argument.name: argument.description for argument in description.get_launch_arguments()}
    assert set(arguments) == ARGUMENTS[name]
    assert all(text and text != "no description given" for text in arguments.values())


@pytest.mark.parametrize("name", ARGUMENTS)
def test_what_is_not_given_is_left_to_the_file(name):
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    context = LaunchContext()
    for entity in PythonLaunchDescriptionSource(str(FOLDER / name)).get_launch_description(context).entities:
        if isinstance(entity, DeclareLaunchArgument) and entity.name != "params_file":
            entity.execute(context)
    empty = {name for name, value in context.launch_configurations.items() if value == ""}
    assert {"case", "frame_prefix", "use_sim_time"} <= empty


def nothing_started(name: str, *arguments: str, **environment: str) -> str:
    """What is said at the end of a launch that an argument ends before anything has started."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(FOLDER / name), *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=60.0)
    finally:
        is_left = ended_group(process.pid)
    assert process.returncode == 1
    assert not is_left, "a process lives on without launch"
    return said.strip().splitlines()[-1]


def ended_group(leader: int) -> bool:
    """End the processes that launch has started; whether there was one."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_file_of_parameters_that_does_not_exist_starts_nothing(name, tmp_path):
    missing = tmp_path / "missing.yaml"
    assert f"params_file {missing} does not exist; name a YAML file" in nothing_started(name, f"params_file:={missing}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["seed:=abc"], "seed:=abc is not a whole number such as 3; give one, or leave the argument out."),
        (["seed:=1.5"], "seed:=1.5 is not a whole number"),
        (["motion_mm:=far"], "motion_mm:=far is not a number such as 3.0; give one"),
        (["robot_model:=true", "frame_prefix:=left/"], "goes with no frame_prefix, but left/ is given"),
    ],
)
def test_a_wrong_argument_starts_nothing(arguments, sentence):
    assert sentence in nothing_started("simulation.launch.py", *arguments)


def missing_executable(folder: Path, package: str) -> str:
    """A search path on which a package is, but without its executable."""
    markers = folder / "share" / "ament_index" / "resource_index" / "packages"
    markers.mkdir(parents=True)
    (markers / package).touch()
    return os.pathsep.join([str(folder), os.environ["AMENT_PREFIX_PATH"]])


@pytest.mark.parametrize(("argument", "package"), [("rviz", "rviz2"), ("robot_model", "robot_state_publisher")])
def test_a_package_that_is_not_there_starts_nothing(argument, package, tmp_path):
    sentence = f"{argument}:=true needs the package {package}, which is not installed; install it, or leave"
    prefixes = missing_executable(tmp_path, package)
    assert sentence in nothing_started("simulation.launch.py", f"{argument}:=true", AMENT_PREFIX_PATH=prefixes)
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        assert sentence in nothing_started("simulation.launch.py", f"{argument}:=true")


@pytest.fixture(scope="module")
def launched(domain, case_folder, tmp_path_factory):
    """simulation.launch.py with a file of parameters and some arguments."""
    params = tmp_path_factory.mktemp("launch") / "room.yaml"
    params.write_text(
        "/**/carm_simulator_node:\n"
        "  ros__parameters: {image_size: 64, pixel_mm: 4.8, physics: plain, seed: 7, motion_mm: 9.0}\n"
        "/**/registration_node:\n"
        "  ros__parameters: {tf_timeout_s: 2.5, frame_prefix: wrong/, use_sim_time: true}\n"
    )
    arguments = [
        f"case:={case_folder}",
        f"params_file:={params}",
        "namespace:=theatre",
        "frame_prefix:=left/",
        "motion_mm:=2",
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(FOLDER / "simulation.launch.py"), *arguments],
        env={**os.environ, "ROS_DOMAIN_ID": str(domain)},
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def test_both_nodes_come_up_active_in_their_namespace(launched, remote):
    for node in NODES:
        remote.wait_for(lambda node=node: state(remote, node) == "active", f"{node} active", 60.0)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (NODES[0], {"tf_timeout_s": 2.5, "frame_prefix": "left/", "autostart": True, "use_sim_time": True}),
        (
            NODES[1],
            {
                "use_sim_time": False,
                "frame_prefix": "left/",
                "motion_mm": 2.0,
                "seed": 7,
                "physics": "plain",
                "image_size": 64,
            },
        ),
    ],
)
def test_arguments_win_over_the_file_and_what_is_not_given_stays_as_there(node, expected, launched, remote):
    request = GetParameters.Request(names=list(expected))
    values = remote.call(GetParameters, f"{node}/get_parameters", request, 30.0).values
    assert dict(zip(expected, map(parameter_value_to_python, values), strict=True)) == expected


def test_the_robot_model_takes_the_frames_from_the_simulator(domain, remote, case_folder, tmp_path):
    """A stand-in for robot_state_publisher, which is not a dependency, tells what it was given."""
    package = "robot_state_publisher"
    (tmp_path / "share" / "ament_index" / "resource_index" / "packages").mkdir(parents=True)
    (tmp_path / "share" / "ament_index" / "resource_index" / "packages" / package).touch()
    (tmp_path / "lib" / package).mkdir(parents=True)
    executable = tmp_path / "lib" / package / package
    executable.write_text(
        f'#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = --params-file ] && cp "$2" {tmp_path}/given.yaml; shift; done\n'
    )
    executable.chmod(0o755)
    prefixes = os.pathsep.join([str(tmp_path), os.environ["AMENT_PREFIX_PATH"]])
    arguments = [f"case:={case_folder}", "namespace:=modelled", "robot_model:=true", "autostart:=false"]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(FOLDER / "simulation.launch.py"), *arguments],
        env={**os.environ, "ROS_DOMAIN_ID": str(domain), "AMENT_PREFIX_PATH": prefixes},
        start_new_session=True,
    )
    try:
        request = GetParameters.Request(names=["publish_tf"])
        node = "/modelled/carm_simulator_node"
        (value,) = remote.call(GetParameters, f"{node}/get_parameters", request, 60.0).values
        assert parameter_value_to_python(value) is False
        given = remote.wait_for(lambda: read_if_there(tmp_path / "given.yaml"), "what the model was given", 30.0)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30.0)
    parameters = next(iter(yaml.safe_load(given).values()))["ros__parameters"]
    assert parameters["robot_description"] == (FOLDER.parent / "description" / "carm_theatre.urdf").read_text()
    assert parameters["ignore_timestamp"] is True
    assert "use_sim_time" not in parameters, "it was not given"


def read_if_there(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_the_nodes_end_with_launch(launched):
    os.killpg(launched.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
    assert launched.wait(30.0) == 0


def state(remote, node: str) -> str:
    return remote.call(GetState, f"{node}/get_state", GetState.Request(), 30.0).current_state.label
