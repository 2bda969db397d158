### De netaansluiting.

name_grid = Netaansluiting
role_total_grid_import = Netafname
role_total_grid_export = Teruglevering
