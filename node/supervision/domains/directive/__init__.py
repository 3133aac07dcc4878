"""Directives and works for the people (政令督办、实事工程): tasks with a day, milestones, and who is behind."""
