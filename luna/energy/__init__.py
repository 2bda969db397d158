"""The domain: values in, values out. No I/O, no clock; NumPy, Pydantic and the standard library, nothing else."""
