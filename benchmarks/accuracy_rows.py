"""The rows of both tables of `benchmarks.accuracy`: what is measured, and where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.accuracy_networks import SHIPPED, with_networks
from benchmarks.accuracy_systems import FromStart, PeerFromStart, Pipeline
from radgs_core.case import Case
from radgs_core.evaluation import System
from radgs_core.registration.pipeline_stages import Stages


@dataclass(frozen=True)
class SystemRow:
    """One system.

    Attributes:
        key: short name in files and plots.
        name: what people read.
        tables: which of ``comparison`` and ``ablation`` it stands in.
        made: prepares it for a patient, with networks where there is a training.
        training: whose networks it uses (`benchmarks.accuracy_training`); empty for none.
        slow: measured on a few studies only.
        like: the paper's row that it corresponds to, see `benchmarks.paper_figures`.
    """

    key: str
    name: str
    tables: tuple[str, ...]
    made: Callable[[Case], System]
    training: str = ""
    slow: bool = False
    like: str = ""

    @property
    def comes_trained(self) -> bool:
        """Whether it needs no networks, or those that come with the demo."""
        return self.training in ("", SHIPPED)

    def load(self, case: Case) -> System:
        """Prepare it for a patient.

        Raises:
            NotTrained: networks are missing.
        """
        return self.made(with_networks(case, self.training) if self.training else case)


def _through(stages: Stages) -> Callable[[Case], System]:
    return lambda case: Pipeline(case, stages)


WHOLE, NETWORKS_ALONE = Stages(), Stages(refinement=False)
BOTH = "comparison", "ablation"
ABLATION = ("ablation",)
OURS, NETWORK_ONLY, WITH_START = "ours", "network_only", "with_start"
"""Rows whose figures are reported by name."""

ROWS = (
    SystemRow(OURS, "ours, no start", BOTH, _through(WHOLE), SHIPPED),
    SystemRow(NETWORK_ONLY, "ours without refinement (P2)", BOTH, _through(NETWORKS_ALONE), SHIPPED),
    SystemRow(WITH_START, "ours, from a given start", BOTH, FromStart, SHIPPED),
    SystemRow("refinement", "refinement from a given start alone", ABLATION, FromStart),
    SystemRow("no_learned", "detection and refinement alone", ABLATION, _through(Stages(learned=False)), SHIPPED),
    SystemRow("detection", "detection alone", ABLATION, _through(Stages(learned=False, refinement=False)), SHIPPED),
    SystemRow(
        "p1", "P1 (other levels of this CT), without refinement", ABLATION, _through(NETWORKS_ALONE), "p1", like="P1"
    ),
    SystemRow("p1_p2", "P1+P2, without refinement", ABLATION, _through(NETWORKS_ALONE), "p1_p2", like="P1+P2"),
    SystemRow("full", "P1+P2+P_full, without refinement", BOTH, _through(NETWORKS_ALONE), "full", like="RadGS-Reg"),
    SystemRow("no_cal", "P2 without CAL, without refinement", ABLATION, _through(NETWORKS_ALONE), "no_cal"),
    SystemRow(
        "no_recm",
        "P2, RegM without RecM, without refinement",
        ABLATION,
        _through(NETWORKS_ALONE),
        "no_recm",
        like="RegM without RecM",
    ),
    SystemRow("untrained", "untrained weights, without refinement", ABLATION, _through(NETWORKS_ALONE), "untrained"),
    SystemRow("peer", "peer on nanodrr (start given; fewer studies)", ("comparison",), PeerFromStart, slow=True),
)

TRIED = (SystemRow("voxels", "P2, RegM on voxels, without refinement", ABLATION, _through(NETWORKS_ALONE), "voxels"),)
"""What was not chosen, on other levels than the reported ones; measured only where it is asked for."""
