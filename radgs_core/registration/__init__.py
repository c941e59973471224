from radgs_core.registration.overlay import draw_overlay
from radgs_core.registration.pipeline import register
from radgs_core.registration.result import LevelResult, RegistrationResult

__all__ = ["LevelResult", "RegistrationResult", "draw_overlay", "register"]
