"""Daily figures that rise unchanged to every ancestor (DESIGN §5): the row, its wire form and its sums."""
