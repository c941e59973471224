"""The phantom and its case: T12 and L1 are prepared, L2 stays in the body."""

import numpy as np
import pytest
from phantom import SHAPE, SPACING_MM, make_phantom

from radgs_core.case import Case
from radgs_core.io.labels import LabelMap
from radgs_core.preparation import prepare_case
from radgs_core.volume import Volume


@pytest.fixture(scope="session")
def phantom() -> tuple[Volume, LabelMap]:
    """CT and label map; voxel axes point to the patient's left, back and head, as in LPS."""
    T_ct_voxel = np.diag([*SPACING_MM, 1.0])
    T_ct_voxel[:3, 3] = -SPACING_MM * (np.array(SHAPE) - 1) / 2
    return make_phantom(T_ct_voxel, SHAPE)


@pytest.fixture(scope="session")
def phantom_case(phantom: tuple[Volume, LabelMap]) -> Case:
    """T12 and L1 of the phantom, prepared."""
    ct, labels = phantom
    return prepare_case(ct, labels, ["L1", "T12"], lambda fraction, message: None, {"parameters": {"levels": "T12,L1"}})
