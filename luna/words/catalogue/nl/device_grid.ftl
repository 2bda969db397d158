### What is said of the grid connection.

name_grid = Netaansluiting
role_total_grid_import = Afname
role_total_grid_export = Teruglevering
