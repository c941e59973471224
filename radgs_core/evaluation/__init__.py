from radgs_core.evaluation.capture_range import BIN_EDGES_MM, CaptureBin, Trial, capture_bins, capture_range_mm
from radgs_core.evaluation.protocol import LevelError, evaluate
from radgs_core.evaluation.starts import start_between, wrong_start
from radgs_core.evaluation.summary import Summary, summarise
from radgs_core.evaluation.tre import depth_errors_mm, tre_mm

__all__ = [
    "BIN_EDGES_MM",
    "CaptureBin",
    "LevelError",
    "Summary",
    "Trial",
    "capture_bins",
    "capture_range_mm",
    "depth_errors_mm",
    "evaluate",
    "start_between",
    "summarise",
    "tre_mm",
    "wrong_start",
]
