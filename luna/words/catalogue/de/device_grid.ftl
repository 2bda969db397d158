### Der Netzanschluss.

name_grid = Netzanschluss
role_total_grid_import = Netzbezug
role_total_grid_export = Einspeisung
