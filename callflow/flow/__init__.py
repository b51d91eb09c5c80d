"""The YAML call-flow language: read, checked and run, pure."""
