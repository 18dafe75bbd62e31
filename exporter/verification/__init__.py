"""Proves that an artefact computes what its source network does, on every backend there is."""
