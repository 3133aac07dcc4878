"""Administrative collection (行政征收): fees, levies and requisition payments."""
