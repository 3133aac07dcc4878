"""Public trading (公共资源交易): tenders, government procurement, land, property rights, medicines."""
