"""What starts: the builds that deliveries want, their names, their manifests, and the worker that creates them."""
