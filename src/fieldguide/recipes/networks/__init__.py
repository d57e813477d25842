"""What the recipes share that train a network step by step."""
