"""Messages to people: text made safe to show, and streams that survive a closed terminal."""
