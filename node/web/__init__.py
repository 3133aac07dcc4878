"""The node's HTTP face: the API that commands and screens use, and one plain page."""
