"""Administrative approval and public service (行政审批、公共服务): the pattern that every other domain follows."""
