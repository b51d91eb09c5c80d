"""A call: its legs, the house's rules and the flow, brought together; pure."""
