"""What hears, translates and speaks."""
