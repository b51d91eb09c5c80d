"""The only floor that waits: sockets, timers, and the driver that lets the pure floors run."""
