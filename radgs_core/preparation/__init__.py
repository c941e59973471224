from radgs_core.preparation.prepare import prepare_case

__all__ = ["prepare_case"]
