"""Administrative coercion (行政强制): seizures and freezes, and enforcement by the agency itself."""
