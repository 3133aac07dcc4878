"""What a node shows of itself: one question a file, as typed values that the API, the page and the commands share."""
