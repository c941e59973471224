"""The messages of this package as they are in msg/, for recordings where ROS is not installed."""
