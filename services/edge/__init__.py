"""The camera lab: battery cameras choose their model and charging by the grid's clean share.

config, camera, clean_share → scenarios → labels → controller → simulation → batch → analytics;
``stages`` runs them in this order.
"""
