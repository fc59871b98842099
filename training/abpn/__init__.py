"""Train the adaptive blend pyramid: on flaws made here, or on a user's own pairs of photos before and after."""
