"""The camera lab: battery-powered cameras that choose a model and when to charge.

They choose by how clean the grid is.

config, camera, clean_share → scenarios → labels → controller → simulation → batch → analytics;
``stages`` runs them in this order.
"""
