"""How good a network is: the figures of the paper on a data set, as a table and as JSON."""
