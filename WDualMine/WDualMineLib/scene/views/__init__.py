"""What is seen: colours and windows, slice views, arrangements of them, and the live preview."""
