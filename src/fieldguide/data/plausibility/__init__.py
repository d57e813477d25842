"""What of DATA looks as if it was meant otherwise, said before the work begins."""
