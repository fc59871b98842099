"""Engine: graphs computed in bounded memory, with exact gradients. Knows OpSpec, not which operations exist."""
