"""What results have in common that know nothing of each other."""
