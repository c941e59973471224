"""ROS messages to and from the core, without ROS: any object with the attributes of a message's definition will do."""
