"""From a camera to frames: reached, read, made alike, and told apart when it cannot be watched."""
