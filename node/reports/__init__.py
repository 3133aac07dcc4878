"""Reports (报表): one period of a node and its subtree, as a workbook, as pages, and on a schedule."""
