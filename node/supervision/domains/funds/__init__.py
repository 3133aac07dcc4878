"""Public money (公共资金): budgets, projects and subsidies, from the allocation to the audit."""
