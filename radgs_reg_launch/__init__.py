"""What the launch files share.

Not in radgs_reg_ros: that sets environment variables for its own nodes, and everything else that is launched would get
them, too.
"""

from radgs_reg_launch.arguments import COMMON_ARGUMENTS, YES_OR_NO, is_true
from radgs_reg_launch.nodes import managed_node, robot_state_publisher, rviz

__all__ = ["COMMON_ARGUMENTS", "YES_OR_NO", "is_true", "managed_node", "robot_state_publisher", "rviz"]
