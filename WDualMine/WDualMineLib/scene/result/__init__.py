"""A result in the scene: from nodes to a request, and from what it gives back to nodes."""
