"""Finding, fetching and starting the servers a local run needs: a module each."""
