"""Training of the network on 2-D slice pairs."""
