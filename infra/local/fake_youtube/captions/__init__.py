"""The three requests by which youtube-transcript-api gets captions: watch page, player and timedtext."""
