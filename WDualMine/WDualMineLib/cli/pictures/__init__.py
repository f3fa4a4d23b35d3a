"""Pictures of results as PNG files, drawn with matplotlib."""
