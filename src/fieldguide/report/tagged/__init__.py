"""What a report on a model of tags shows otherwise than one on single labels: a file a section."""
