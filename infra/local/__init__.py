"""A whole run of yts on one machine: servers, event delivery, gateway, a fake YouTube, command line."""
