"""From coarse to fine: at which scale the X-rays are compared, and what may move."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One scale of the refinement; lengths on a detector about one metre from the source.

    Attributes:
        pixel_mm: pixels are averaged to about this size.
        blur_mm: standard deviation of the blur under which gradients are compared.
        window_mm: standard deviation of the windows of the local correlation.
        body_share: weight of the windows all over the image; the others lie on the vertebrae.
        rigid: the body and all vertebrae move as one.
        iterations: at most so many.
    """

    pixel_mm: float
    blur_mm: float
    window_mm: float
    body_share: float
    rigid: bool
    iterations: int


RIGID_STAGES = (
    # a wrong start of everything: only wide blurs reach far, and all edges of the body help
    Stage(pixel_mm=4.8, blur_mm=8.0, window_mm=40.0, body_share=1.0, rigid=True, iterations=8),
    Stage(pixel_mm=2.4, blur_mm=5.0, window_mm=25.0, body_share=1.0, rigid=True, iterations=8),
    Stage(pixel_mm=2.4, blur_mm=3.0, window_mm=15.0, body_share=1.0, rigid=True, iterations=6),
)
LEVEL_STAGES = (
    # each vertebra on its own: sharp edges tell bone from the body's broad shadows, so accuracy comes with small blurs
    Stage(pixel_mm=2.4, blur_mm=3.0, window_mm=12.0, body_share=0.3, rigid=False, iterations=8),
    Stage(pixel_mm=1.2, blur_mm=2.0, window_mm=9.0, body_share=0.3, rigid=False, iterations=8),
    Stage(pixel_mm=1.2, blur_mm=1.2, window_mm=7.0, body_share=0.3, rigid=False, iterations=8),
)
"""Both chosen on studies of T3..T8 of the example CT."""
