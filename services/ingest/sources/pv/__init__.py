"""Services that forecast the output of PV."""
