"""What names the patient of a case without naming them."""

from collections.abc import Mapping

from radgs_core.case import Case


def input_hashes(case: Case) -> Mapping[str, str]:
    """SHA-256, by role, of the files that a case was prepared from."""
    return {role: source["sha256"] for role, source in case.provenance.get("inputs", {}).items()}
