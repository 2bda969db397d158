"""The services of Luna, one package each. They share the kernel and do not import each other."""
