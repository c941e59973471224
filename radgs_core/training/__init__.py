from radgs_core.training.patients import PatientFiles, Split, find_patients, read_patient, split
from radgs_core.training.settings import Settings
from radgs_core.training.task import Losses, Task, Validation
from radgs_core.training.trainer import Outcome, train

__all__ = [
    "Losses",
    "Outcome",
    "PatientFiles",
    "Settings",
    "Split",
    "Task",
    "Validation",
    "find_patients",
    "read_patient",
    "split",
    "train",
]
