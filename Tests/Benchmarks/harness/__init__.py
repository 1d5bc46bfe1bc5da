"""What the benchmark and the endurance test share."""
