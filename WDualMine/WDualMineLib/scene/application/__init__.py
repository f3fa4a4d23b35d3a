"""What the application brings: parameters, choices, libraries, scenes as files, the self-test."""
