"""Video patrols (视频巡查): what is to be looked at, who walked it, what they saw."""
