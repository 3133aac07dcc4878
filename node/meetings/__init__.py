"""Meetings (会商), help calls (求助) and inspection calls (视频抽查): people at several nodes who see and hear each other."""
