"""Administrative penalty (行政处罚): from the filing of a case to the money in the treasury."""
