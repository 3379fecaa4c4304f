"""Sites with more than one database, or with none that is called ``default``."""
