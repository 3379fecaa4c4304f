"""A site with pages of its own that have parts of the app in them."""
