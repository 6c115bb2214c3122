"""What it takes to receive frames, beside what it takes others."""
