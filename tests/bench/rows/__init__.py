"""The rows of the table, a file each: `NAMES` in order; a row has TITLE and `run(o)`, a list of functions that each measure and return a
record (contest.record) for a line of the table."""
NAMES = ["step", "inference", "convolution", "norm", "graph", "queue", "optimizer", "cold", "bits", "foreign", "growth"]
