"""Starts registration_node and the simulated operating room, carm_simulator_node, beside it."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from radgs_reg_launch import COMMON_ARGUMENTS, managed_node, rviz

SIMULATOR_PARAMETERS = {"physics": str, "seed": int, "motion_mm": float, "motion_deg": float}
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
)


def generate_launch_description() -> LaunchDescription:
    """Arguments: `ros2 launch radgs_reg simulation.launch.py --show-args`."""
    return LaunchDescription(
        [
            *COMMON_ARGUMENTS,
            *SIMULATOR_ARGUMENTS,
            managed_node("registration_node"),
            managed_node("carm_simulator_node", SIMULATOR_PARAMETERS),
            rviz(),
        ]
    )
