"""What arrives: the routes, the schemes that verify, the pure `judge`, and the HTTP server around it."""
