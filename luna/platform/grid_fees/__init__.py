"""Published grid fees, levies and VAT: data files and their reader."""
