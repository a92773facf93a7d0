"""Google sign-in: OAuth 2.0 and OpenID Connect, for the users demo and other."""
