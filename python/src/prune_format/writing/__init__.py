"""How a file is written."""
