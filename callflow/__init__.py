"""callflow: telephone etiquette, enforced."""

__version__ = "0.1.0"
