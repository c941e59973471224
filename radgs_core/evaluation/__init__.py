from radgs_core.evaluation.protocol import LevelError, evaluate
from radgs_core.evaluation.starts import wrong_start
from radgs_core.evaluation.summary import Summary, summarise
from radgs_core.evaluation.tre import depth_errors_mm, tre_mm

__all__ = [
    "LevelError",
    "Summary",
    "depth_errors_mm",
    "evaluate",
    "summarise",
    "tre_mm",
    "wrong_start",
]
