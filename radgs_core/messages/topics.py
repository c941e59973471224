"""Names and types of the topics that X-rays come on; docs/topics.md has all."""

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
TF_MESSAGE = "tf2_msgs/msg/TFMessage"
INITIALPOSE = "geometry_msgs/msg/PoseWithCovarianceStamped"
CLOCK_MESSAGE = "rosgraph_msgs/msg/Clock"

JOINT_STATE = "sensor_msgs/msg/JointState"

TF, TF_STATIC, CLOCK = "/tf", "/tf_static", "/clock"
JOINT_STATES, CARM_COMMAND = "joint_states", "carm/command"


def image_topic(view: str) -> str:
    """Where the images of a view come."""
    return f"{view}/image"


def info_topic(view: str) -> str:
    """Where the camera_info of a view comes."""
    return f"{view}/camera_info"


def resolved(topic: str, namespace: str) -> str:
    """The full name of a topic: a relative one lies in the namespace."""
    if topic.startswith("/"):
        return topic
    inner = namespace.strip("/")
    return f"/{inner}/{topic}" if inner else f"/{topic}"
