"""As componentize-py generates it."""
