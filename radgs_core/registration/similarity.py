"""Similarity of an X-ray and a rendering: local normalised correlation of their gradients.

In a Gaussian window around pixel c, with F the gradient of the X-ray and M that of the rendering,

    ncc(c) = <F, M>_c / sqrt(<F, F>_c <M, M>_c),    <A, B>_c = sum_x G(x - c) v(x) A(x).B(x)

where v is 1 on usable pixels. Gradients, because scatter and the background's slow changes vanish in them; local windows,
because beam hardening, scatter and the detector change the contrast by a factor that varies over the image, and because
strong edges of the body (diaphragm, skin) must not outvote a vertebra's faint ones elsewhere.
"""

from dataclasses import dataclass

import torch

from radgs_core.registration.filters import smooth

EPSILON = 1e-12


@dataclass(frozen=True)
class LocalCorrelation:
    """The similarity at one rendering, and its quadratic model for a Gauss-Newton step.

    The weighted sum of ncc over windows has, for a change dM of the rendering's gradient, the derivative
    ``sum_x dM.(pull F - stiffness M)``; holding each window's least-squares gain fixed gives the curvature
    ``sum_x stiffness |dM|^2``.

    Attributes:
        ncc: (H, W) local correlation.
        pull, stiffness: (H, W) weights of the quadratic model.
    """

    ncc: torch.Tensor
    pull: torch.Tensor
    stiffness: torch.Tensor


def local_correlation(
    target: torch.Tensor, rendered: torch.Tensor, usable: torch.Tensor, weight: torch.Tensor, window_px: float
) -> LocalCorrelation:
    """Correlate two gradient images locally.

    Args:
        target: (2, H, W) gradient of the X-ray.
        rendered: (2, H, W) gradient of the rendering.
        usable: (H, W) 1 where the X-ray can be trusted, else 0.
        weight: (H, W) how much the window around each pixel counts.
        window_px: standard deviation of the windows, pixels.
    """
    products = torch.stack([(target * target).sum(0), (target * rendered).sum(0), (rendered * rendered).sum(0)])
    ff, fm, mm = smooth(products * usable, window_px)
    # a window without any structure in the X-ray or in the rendering says nothing
    floor_ff, floor_mm = 1e-3 * ff.mean() + EPSILON, 1e-3 * mm.mean() + EPSILON
    ff, mm = ff + floor_ff, mm + floor_mm
    norm = (ff * mm).sqrt()
    ncc = fm / norm
    pull, stiffness = smooth(torch.stack([weight / norm, weight * ncc.clamp(min=0.05) / mm]), window_px)
    return LocalCorrelation(ncc, pull * usable, stiffness * usable)
