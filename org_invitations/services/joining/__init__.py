"""The invited person's side: what they find, joining, and asking for a new invitation."""
