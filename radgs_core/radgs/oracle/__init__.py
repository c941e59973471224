"""Plain-torch twins of what the kernels compute, in any precision: slow, exact, and what the kernels are tested against."""
