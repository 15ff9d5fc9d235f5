"""Hosts: organisations for whose people seats are kept, and their coordinators."""
