"""Who may open the page: passwords, passes, origins, encryption."""
