"""What only a local run needs: servers, event delivery, gateway, stand-in YouTube, command line."""
