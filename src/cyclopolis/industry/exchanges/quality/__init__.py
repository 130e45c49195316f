"""Networks in which quality counts: water by its contaminants, hydrogen by its purity."""
