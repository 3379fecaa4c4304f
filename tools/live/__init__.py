"""Ask a development instance of Clerk what its documents leave open: ``make live``."""
