"""`make demo`: the whole way on a real CT, through real ROS topics between three processes."""
