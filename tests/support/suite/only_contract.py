"""A contract of import-linter's: what a package may import at all."""

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """``source`` imports itself, the named libraries, and of the standard library all but what
    ``without`` names.
    """

    source = fields.StringField()
    libraries = fields.ListField(subfield=fields.StringField())
    without = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Return which imports go beyond."""
        allowed = (sys.stdlib_module_names | set(self.libraries)) - set(self.without)
        modules = {self.source, *graph.find_descendants(self.source)}
        beyond = {
            (module, each)
            for module in modules
            for each in graph.find_modules_directly_imported_by(module) - modules
            if each.split(".")[0] not in allowed
        }
        return ContractCheck(kept=not beyond, metadata={"beyond": sorted(beyond)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that goes beyond."""
        for module, imported in check.metadata["beyond"]:
            output.print_error(f"{module} -> {imported}")
