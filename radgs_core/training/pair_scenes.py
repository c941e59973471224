"""Real exposures as scenes to train on: body and levels are where the patient's own networks find them."""

import logging
from collections.abc import Sequence

import numpy as np

from radgs_core.case import Case
from radgs_core.detection.finder import Finder
from radgs_core.errors import InputError
from radgs_core.networks import Networks
from radgs_core.progress import Progress
from radgs_core.registration.body import Body
from radgs_core.registration.expected_body import expected_body
from radgs_core.registration.learned import LearnedRegistration
from radgs_core.registration.scene import ScenePoses
from radgs_core.registration.subject import Subject
from radgs_core.training.scenes import Scene
from radgs_core.training.xray_pairs import XrayPair
from radgs_core.xray.observation import observe

_log = logging.getLogger(__name__)


def found_scenes(case: Case, networks: Networks, pairs: Sequence[XrayPair], progress: Progress) -> Sequence[Scene]:
    """Find the levels in pairs of X-rays; pairs in which they are not found are left out, with a warning.

    Args:
        case: the patient.
        networks: trained for this patient.
        pairs: of this patient.
        progress: called with a fraction and a message.

    Raises:
        InputError: an image does not fit its view or shows nothing; the levels are found in no pair.
    """
    body = Subject.of(case).body
    finder, learned = Finder(case, networks), LearnedRegistration(case, networks, body)
    scenes = []
    for number, pair in enumerate(pairs):
        progress(number / len(pairs), "finding the levels")
        scene = _scene(case, pair, finder, learned, body)
        if scene is not None:
            scenes.append(scene)
    if not scenes:
        raise InputError(
            f"the levels {', '.join(case.levels)} are found in none of {len(pairs)} pairs of X-rays; give pairs of this"
            " patient that show them."
        )
    return scenes


def _scene(case: Case, pair: XrayPair, finder: Finder, learned: LearnedRegistration, body: Body) -> Scene | None:
    observations = [observe(pair.images[view], camera) for view, camera in pair.geometry.views.items()]
    found = finder.find(observations)
    if found.reason:
        _log.warning("%s is left out: %s", pair.name, found.reason)
        return None
    start = ScenePoses(found.T_reference_body, np.stack([found.T_reference_level[level] for level in case.levels]))
    poses = learned.register(observations, start).T_reference_ct
    expected = [expected_body(body, observation.camera, start.body) for observation in observations]
    return Scene(observations, expected, start.body, poses)
