"""Numba kernels: numbers and arrays in, arrays filled; metres, seconds, radians."""
