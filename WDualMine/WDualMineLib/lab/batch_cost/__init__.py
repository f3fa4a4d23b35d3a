"""What a study of a batch costs, and how many a minute one machine does."""
