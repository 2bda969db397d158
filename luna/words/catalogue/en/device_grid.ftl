### The grid connection.

name_grid = Grid connection
role_total_grid_import = Bought from the grid
role_total_grid_export = Sold to the grid

# Fields, and defaults that cost money: documentation and command line, in English only.
default_grid_import_limit_kw = no limit for buying
default_grid_export_limit_kw = no limit for feed-in
