"""What fusing costs: time, arithmetic and memory, beside networks of other shapes."""
