"""Starts registration_node and the simulated operating room, carm_simulator_node, beside it."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch_ros.actions import Node

from radgs_reg_launch import COMMON_ARGUMENTS, YES_OR_NO, is_true, managed_node, robot_state_publisher, rviz

SIMULATOR_PARAMETERS = {
    "physics": str,
    "seed": int,
    "motion_mm": float,
    "motion_deg": float,
    "clock": str,
    "real_time_factor": float,
}
SIMULATOR_ARGUMENTS = (
    DeclareLaunchArgument(
        "physics",
        default_value="",
        choices=["", "realistic", "plain"],
        description="How X-rays are simulated; empty: as params_file has it.",
    ),
    DeclareLaunchArgument(
        "seed", default_value="", description="Seed of motion and noise, a number; empty: as params_file has it."
    ),
    DeclareLaunchArgument(
        "motion_mm",
        default_value="",
        description="Mean shift of each level at an exposure, mm; empty: as params_file has it.",
    ),
    DeclareLaunchArgument(
        "motion_deg",
        default_value="",
        description="Mean rotation of each level at an exposure, degrees; empty: as params_file has it.",
    ),
    DeclareLaunchArgument(
        "clock",
        default_value="",
        choices=["", "follow", "publish"],
        description="Whose /clock it is with use_sim_time: that of another simulation, or the simulator's own; empty:"
        " as params_file has it.",
    ),
    DeclareLaunchArgument(
        "real_time_factor",
        default_value="",
        description="Seconds of /clock in one of real time, with clock:=publish; empty: as params_file has it.",
    ),
    DeclareLaunchArgument(
        "robot_model",
        default_value="false",
        choices=YES_OR_NO,
        description="Also start robot_state_publisher (package of that name) with C-arm, table and patient; it then"
        " publishes the frames instead of the simulator. Not with frame_prefix.",
    ),
)


def generate_launch_description() -> LaunchDescription:
    """Arguments: `ros2 launch radgs_reg simulation.launch.py --show-args`."""
    return LaunchDescription([*COMMON_ARGUMENTS, *SIMULATOR_ARGUMENTS, OpaqueFunction(function=_processes)])


def _processes(context: LaunchContext) -> list[Node]:
    """All of them, made before the first one starts."""
    with_model = is_true(context, "robot_model")
    one_publisher = {"publish_tf": False} if with_model else {}  # of each frame
    processes = [
        managed_node(context, "registration_node"),
        managed_node(context, "carm_simulator_node", SIMULATOR_PARAMETERS, one_publisher),
    ]
    if with_model:
        processes.append(robot_state_publisher(context))
    if is_true(context, "rviz"):
        processes.append(rviz(context))
    return processes
