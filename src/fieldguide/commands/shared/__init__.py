"""What several commands say and share besides their options."""
