"""Similarity of an X-ray and a rendering: local correlation of their gradients, with separate gains for body and bone.

In a Gaussian window around pixel c, the gradient F of the X-ray is explained by the gradients B of the rendered body
and M of the rendered vertebrae, each with a gain of that window:

    E(c) = min over a, b >= 0 of  |F - a B - b M|^2_c + RIDGE (a - b)^2 |M|^2_c
    <A, B>_c = sum_x G(x - c) v(x) A(x).B(x),  |A|^2_c = <A, A>_c

where v is 1 on usable pixels. The similarity is ``sqrt(1 - E(c) / |F|^2_c)``, the multiple correlation. Gradients,
because scatter and the background's slow changes vanish in them; local windows, because scatter, beam hardening and the
detector change the contrast by a factor that varies over the image, and because strong edges of the body (diaphragm,
skin) must not outvote a vertebra's faint ones elsewhere; two gains, because the unknown spectrum changes bone's
contrast against that of soft tissue.
"""

from dataclasses import dataclass

import torch

from radgs_core.registration.filters import smooth

EPSILON = 1e-12
RIDGE = 0.3


@dataclass(frozen=True)
class LocalCorrelation:
    """The similarity at one rendering, and its quadratic model for a Gauss-Newton step.

    With each window's gains held, the weighted sum of ``(1 - E / |F|^2) / 2`` changes with dB and dM by

        sum_x dB.pull_body + dM.pull_bone - (body |dB|^2 + 2 cross dB.dM + bone |dM|^2) / 2

    Attributes:
        correlation: (H, W) in 0..1.
        bone_correlation: (H, W) in 0..1, the partial correlation: how well the vertebrae explain what the body leaves
            unexplained. The body alone can correlate well where a vertebra is not.
        pull_body, pull_bone: (2, H, W) first-order terms.
        body, cross, bone: (H, W) second-order weights.
    """

    correlation: torch.Tensor
    bone_correlation: torch.Tensor
    pull_body: torch.Tensor
    pull_bone: torch.Tensor
    body: torch.Tensor
    cross: torch.Tensor
    bone: torch.Tensor


def local_correlation(
    target: torch.Tensor,
    body: torch.Tensor,
    bone: torch.Tensor,
    usable: torch.Tensor,
    weight: torch.Tensor,
    window_px: float,
) -> LocalCorrelation:
    """Correlate gradient images locally.

    Args:
        target, body, bone: (2, H, W) gradients of the X-ray, of the rendered body and of the rendered vertebrae.
        usable: (H, W) 1 where the X-ray can be trusted, else 0.
        weight: (H, W) how much the window around each pixel counts.
        window_px: standard deviation of the windows, pixels.
    """
    pairs = ((target, target), (target, body), (target, bone), (body, body), (body, bone), (bone, bone))
    ff, fb, fm, bb, bm, mm = smooth(torch.stack([(p * q).sum(0) for p, q in pairs]) * usable, window_px)
    # a window without any structure says nothing
    ff = ff + 1e-3 * ff.mean() + EPSILON
    bb = bb + 1e-3 * bb.mean() + EPSILON
    ridge = RIDGE * mm
    a, b = _non_negative_gains(bb + ridge, bm - ridge, mm + ridge + EPSILON, fb, fm)
    explained = (2 * (a * fb + b * fm) - a * a * bb - 2 * a * b * bm - b * b * mm - ridge * (a - b) ** 2) / ff
    correlation = explained.clamp(min=0).sqrt()
    by_body = fb.clamp(min=0).square() / (ff * bb)
    by_bone = ((explained - by_body) / (1 - by_body).clamp(min=EPSILON)).clamp(min=0)
    w = weight / ff
    wa, wb, waa, wab, wbb = smooth(torch.stack([w * a, w * b, w * a * a, w * a * b, w * b * b]), window_px) * usable
    return LocalCorrelation(
        correlation,
        by_bone.sqrt(),
        wa * target - waa * body - wab * bone,
        wb * target - wab * body - wbb * bone,
        waa,
        wab,
        wbb,
    )


def _non_negative_gains(
    bb: torch.Tensor, bm: torch.Tensor, mm: torch.Tensor, fb: torch.Tensor, fm: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Minimise ``bb a^2 + 2 bm a b + mm b^2 - 2 fb a - 2 fm b`` over a, b >= 0, elementwise."""
    determinant = (bb * mm - bm * bm).clamp(min=EPSILON * EPSILON)
    a = (mm * fb - bm * fm) / determinant
    b = (bb * fm - bm * fb) / determinant
    only_a, only_b = (fb / bb).clamp(min=0), (fm / mm).clamp(min=0)
    return (
        torch.where(b < 0, only_a, torch.where(a < 0, torch.zeros_like(a), a)),
        torch.where(a < 0, only_b, torch.where(b < 0, torch.zeros_like(b), b)),
    )
