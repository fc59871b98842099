"""Files: photos, look-up tables and their metadata, in and out. The room that touches disks."""
