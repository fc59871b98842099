"""Train the diagnoser: photos that are good are spoiled by our own operations, and the cure is learned back."""
