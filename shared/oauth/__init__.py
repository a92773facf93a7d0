"""Google's authorization server, and the permissions that users gave us there."""
