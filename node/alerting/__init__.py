"""What becomes of alerts: the steps that people take, who is told, what is late, and decisions from above."""
