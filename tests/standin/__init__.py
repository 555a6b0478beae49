"""A strict stand-in of the OpenSync backend, with every trap of the real one."""
