"""Runs the nodes as processes in a ROS domain of their own and drives them from another one; for demo and tests."""
