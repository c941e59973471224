"""The one exception type that means "your input, not our code"."""


class InputError(ValueError):
    """Input that cannot be used: a file, a topic, an argument or a parameter.

    The message is one sentence for the user: what is wrong, in which file or topic, and what to do.
    The command line prints it and exits with code 2; the ROS node puts it into a diagnostic.
    """
