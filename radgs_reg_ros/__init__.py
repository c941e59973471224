"""ROS 2 adapters around radgs_core: one class a module; the core makes and reads the messages, and does the rest."""

import os

# Both must be set before torch is imported. Spinning OpenMP threads take the cores that DDS and the other nodes need.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
