### Whose prices a plan uses until when.

market_all = All prices in this plan are market prices.
market_until = Until { $t } these are market prices. After that Luna estimates the prices.
market_partly = Until { $t } these are market prices. After that Luna estimates the missing prices.
forecast_all = All prices in this plan are your supplier's forecast and may still change.
forecast_until = Prices until { $t } are your supplier's forecast and may still change. After that Luna estimates them.
forecast_partly = Prices until { $t } are your supplier's forecast and may still change. After that Luna estimates those that are missing.
loaded_all = You loaded all prices in this plan yourself.
loaded_until = You loaded the prices until { $t } yourself. After that Luna estimates them.
loaded_partly = You loaded the prices until { $t } yourself. After that Luna estimates those that are missing.
estimate_all = Luna estimates all prices in this plan, because none are published yet.
estimate_partly = Luna estimates the prices in this plan that are not published yet.
of_market = { $market }: { $sentence }
name_import_price = Buying
name_export_price = Selling
