"""A result in a browser: slices of a MRML scene, served to whoever holds the address."""
