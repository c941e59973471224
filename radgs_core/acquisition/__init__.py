"""From images, camera_info and TF as they come to a pair of X-rays with its geometry, and to its registration."""
