"""Audio as arrays: RTP, G.711, keys, prompts, hearing, and the plane that does it for all legs; pure."""
