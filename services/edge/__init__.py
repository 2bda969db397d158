"""The camera lab: battery-powered cameras that decide with which model they look and when they
charge, by how clean the grid is.

config, camera, clean_share → scenarios → labels → controller → simulation → batch → analytics;
``stages`` runs them in this order.
"""
