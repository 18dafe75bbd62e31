"""Measures the built site in real Chromium, beside a peer, in one run."""
