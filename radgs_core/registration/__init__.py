"""Two X-rays in, one pose and verdict per vertebra out: `radgs_core.registration.pipeline` is what to import."""
