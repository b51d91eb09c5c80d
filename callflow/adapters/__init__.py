"""What callflow is plugged into: prompts, stores, metrics and phones."""
