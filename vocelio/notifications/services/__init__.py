"""notify() and tell_feed(); the only writers of notifications, preferences and the feed."""
