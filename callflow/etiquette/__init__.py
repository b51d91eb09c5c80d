"""The rules of manners: one file a rule, pure, with time as an argument."""
