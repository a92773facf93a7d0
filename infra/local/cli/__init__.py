"""The commands of ./emulators.sh, a module each."""
