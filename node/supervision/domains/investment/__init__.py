"""Major investment projects (重大投资项目): from the proposal to the final accounts."""
