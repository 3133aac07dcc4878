"""The other kinds of administrative acts (GB/T 39046—2020): payment, inspection, confirmation, reward, adjudication and others."""
