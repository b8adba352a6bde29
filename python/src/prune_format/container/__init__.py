"""The container: prologue, manifest, blocks."""
