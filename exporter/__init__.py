"""The toolchain: from published networks to a static site. It runs on CPython."""
