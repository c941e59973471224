"""What the launch files share.

Not in radgs_reg_ros: that sets environment variables for its own nodes, and everything else that is launched would get
them, too.
"""

from radgs_reg_launch.arguments import COMMON_ARGUMENTS
from radgs_reg_launch.nodes import managed_node, rviz

__all__ = ["COMMON_ARGUMENTS", "managed_node", "rviz"]
