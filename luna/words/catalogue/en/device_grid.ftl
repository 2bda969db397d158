### What is said of the grid connection.

name_grid = Grid connection
role_total_grid_import = From the grid
role_total_grid_export = Into the grid

# Of fields, and of defaults that cost money: documentation and command line, in English alone.
default_grid_import_limit_kw = the connection limits no plan
default_grid_export_limit_kw = feeding in is not limited
