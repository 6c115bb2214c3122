"""What the paper's methods make of sub-images, without torch: fitted, or as shipped."""
