"""Administrative reconsideration (行政复议): from the application to the decision and its carrying out."""
