"""A site that changes something of every kind, by one class and one line of URLs."""
