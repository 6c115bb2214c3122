"""The networks that the paper's Fig. 5 compares, trained for reports without torch."""
