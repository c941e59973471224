from radgs_core.preparation.prepare import prepare_case
from radgs_core.preparation.provenance import provenance

__all__ = ["prepare_case", "provenance"]
