from radgs_core.radgs.fitting.fit import DEFAULT_GAUSSIANS, fit_gaussians

__all__ = ["DEFAULT_GAUSSIANS", "fit_gaussians"]
