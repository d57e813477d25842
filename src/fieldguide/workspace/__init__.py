"""What the app keeps: jobs, photos, model files, tables of corrections."""
