"""Images and labels packed into shards: WebDataset and TFRecord."""
