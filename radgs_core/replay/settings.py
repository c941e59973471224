"""What a replay is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radgs_core.acquisition.pairing import pairing_of
from radgs_core.acquisition.xray_inbox import XrayInbox
from radgs_core.messages.image_transport import TRANSPORTS, ImageTransport


@dataclass(frozen=True)
class ReplaySettings:
    """As the parameters of registration_node.

    Attributes:
        levels: which are reported.
        namespace: that the node would run in.
        reference: frame that poses are expressed in.
        frame_prefix: put before the names of the vertebra frames.
        intensity: ``transmission`` or ``attenuation``, what the pixels mean.
        sync_mode: ``approximate`` or ``latest``, which images are a pair.
        sync_slop_s: largest difference of the stamps of a pair in ``approximate``.
        sync_max_age_s: the same in ``latest``.
        image_transport: ``raw`` or ``compressed``, which images are read.
        initial: start poses ``T_reference_ct`` (4, 4), mm, of all levels, until an initialpose comes; None: none.
    """

    levels: Sequence[str]
    namespace: str = ""
    reference: str = "carm_base"
    frame_prefix: str = ""
    intensity: str = "transmission"
    sync_mode: str = "approximate"
    sync_slop_s: float = 0.02
    sync_max_age_s: float = 600.0
    image_transport: str = "raw"
    initial: Mapping[str, NDArray[np.float64]] | None = None

    @property
    def transport(self) -> ImageTransport:
        """The way in which the images came."""
        return TRANSPORTS[self.image_transport]

    def inbox(self) -> XrayInbox:
        """An empty inbox that makes pairs as the settings say."""
        pairing = pairing_of(self.sync_mode, self.sync_slop_s, self.sync_max_age_s)
        return XrayInbox(pairing, self.intensity, self.transport)
