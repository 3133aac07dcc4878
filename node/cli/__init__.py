"""The command ``zongheng``: a file per group of commands, all of them thin words around the node's HTTP API."""
