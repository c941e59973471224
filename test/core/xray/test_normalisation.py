"""X-rays as networks see them, against windows taken one by one."""

import numpy as np
import torch

from radgs_core.xray.normalisation import CHANNELS, normalised


def test_local_contrast_is_that_of_the_usable_pixels_around() -> None:
    rng = np.random.default_rng(0)
    image, usable = rng.normal(2.0, 0.5, (2, 20, 17)), rng.random((2, 20, 17)) < 0.8
    window, half = 7, 3
    found = normalised(torch.tensor(image, dtype=torch.float32), torch.tensor(usable, dtype=torch.float32), window)
    assert found.shape == (2, CHANNELS, 20, 17)
    for view, row, column in [(0, 10, 8), (1, 0, 0), (0, 19, 16), (1, 3, 15)]:
        around = np.s_[max(0, row - half) : row + half + 1, max(0, column - half) : column + half + 1]
        seen = image[view][around][usable[view][around]]
        local = (image[view, row, column] - seen.mean()) / seen.std() * usable[view, row, column]
        whole = image[view][usable[view]]
        range_of = (image[view, row, column] - whole.mean()) / whole.std() * usable[view, row, column]
        np.testing.assert_allclose(found[view, :, row, column], [range_of, local, usable[view, row, column]], atol=1e-4)
