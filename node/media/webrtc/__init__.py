"""WebRTC at a node's edges: encoded pictures go out to browsers and come in from them, and are never decoded on the way."""
