"""The supervision of the supervisor (再监察): what a parent works out again from what its children journalled."""
