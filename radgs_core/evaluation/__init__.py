from radgs_core.evaluation.accuracy import Accuracy, QualitySummary, accuracy_of, quality_summary
from radgs_core.evaluation.capture_range import BIN_EDGES_MM, CaptureBin, Trial, capture_bins, capture_range_mm
from radgs_core.evaluation.positions import varied_geometry, varied_physics
from radgs_core.evaluation.protocol import LevelError, evaluate
from radgs_core.evaluation.reconstruction import ReconstructionQuality, quality_of_nothing, reconstruction_quality
from radgs_core.evaluation.records import LevelRecord, StudyRecord, recorded
from radgs_core.evaluation.starts import start_between, wrong_start
from radgs_core.evaluation.summary import Summary, summarise
from radgs_core.evaluation.system import System, SystemResult
from radgs_core.evaluation.tre import depth_errors_mm, tre_mm
from radgs_core.evaluation.visible_levels import visible_levels

__all__ = [
    "BIN_EDGES_MM",
    "Accuracy",
    "CaptureBin",
    "LevelError",
    "LevelRecord",
    "QualitySummary",
    "ReconstructionQuality",
    "StudyRecord",
    "Summary",
    "System",
    "SystemResult",
    "Trial",
    "accuracy_of",
    "capture_bins",
    "capture_range_mm",
    "depth_errors_mm",
    "evaluate",
    "quality_of_nothing",
    "quality_summary",
    "reconstruction_quality",
    "recorded",
    "start_between",
    "summarise",
    "tre_mm",
    "varied_geometry",
    "varied_physics",
    "visible_levels",
    "wrong_start",
]
