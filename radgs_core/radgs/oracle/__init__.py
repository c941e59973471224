"""Plain-torch twins of the kernels, in any precision: slow, exact, and what the kernels are tested against."""
