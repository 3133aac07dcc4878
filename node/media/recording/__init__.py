"""What a node's cameras showed: written without decoding, found by time, shed by age and size, played and cut out again."""
