"""What is known not to conform: a file that excuses it, check by check, for as long as it is so and no longer."""
