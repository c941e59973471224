"""The rows of both tables of `benchmarks.accuracy`: what is measured, and where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.accuracy_networks import with_networks
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
        load: prepares it for a patient; raises ``NotTrained`` if networks are missing.
        slow: measured on a few studies only.
        like: the paper's row that it corresponds to, see `benchmarks.paper_figures`.
    """

    key: str
    name: str
    tables: tuple[str, ...]
    load: Callable[[Case], System]
    slow: bool = False
    like: str = ""


def _networks(training: str, stages: Stages) -> Callable[[Case], System]:
    return lambda case: Pipeline(with_networks(case, training), stages)


WHOLE, NETWORKS_ALONE = Stages(), Stages(refinement=False)
BOTH = "comparison", "ablation"
ABLATION = ("ablation",)
OURS, NETWORK_ONLY, WITH_START = "ours", "network_only", "with_start"
"""Rows whose figures are reported by name."""

ROWS = (
    SystemRow(OURS, "ours, no start", BOTH, _networks("p2", WHOLE)),
    SystemRow(NETWORK_ONLY, "ours without refinement (P2)", BOTH, _networks("p2", NETWORKS_ALONE)),
    SystemRow(
        WITH_START, "ours without detection (start given)", BOTH, lambda case: FromStart(with_networks(case, "p2"))
    ),
    SystemRow("refinement", "refinement alone (start given)", ABLATION, FromStart),
    SystemRow("no_learned", "detection and refinement alone", ABLATION, _networks("p2", Stages(learned=False))),
    SystemRow("detection", "detection alone", ABLATION, _networks("p2", Stages(learned=False, refinement=False))),
    SystemRow("p1", "P1, without refinement", ABLATION, _networks("p1", NETWORKS_ALONE), like="P1"),
    SystemRow("p1_p2", "P1+P2, without refinement", ABLATION, _networks("p1_p2", NETWORKS_ALONE), like="P1+P2"),
    SystemRow("full", "P1+P2+P_full, without refinement", BOTH, _networks("full", NETWORKS_ALONE), like="RadGS-Reg"),
    SystemRow("no_cal", "P1+P2 without CAL, without refinement", ABLATION, _networks("no_cal", NETWORKS_ALONE)),
    SystemRow(
        "no_recm",
        "P1+P2, RegM without RecM, without refinement",
        ABLATION,
        _networks("no_recm", NETWORKS_ALONE),
        like="RegM without RecM",
    ),
    SystemRow("peer", "peer on nanodrr (start given)", ("comparison",), PeerFromStart, slow=True),
)

TRIED = (SystemRow("voxels", "P2, RegM on voxels, without refinement", ABLATION, _networks("voxels", NETWORKS_ALONE)),)
"""What was not chosen, on other levels than the reported ones; measured only where it is asked for."""
