"""Frames of pages: what other templates extend."""

from collections.abc import Iterator

from jinja2 import nodes

from services.api.pages.layout import templates

SCOPES = (nodes.Block, nodes.Macro, nodes.For, nodes.With, nodes.CallBlock, nodes.FilterBlock)


def list_set(node: nodes.Node) -> Iterator[str]:
    """Yield the names that a template sets for whatever is rendered after it."""
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Assign | nodes.AssignBlock):
            yield from (name.name for name in child.find_all(nodes.Name) if name.ctx == "store")
        if not isinstance(child, SCOPES):
            yield from list_set(child)


def test_a_frame_sets_no_name_that_a_page_in_it_could_have_set_as_well() -> None:
    # A page's own names are set before its frame is rendered, and its blocks are rendered within
    # the frame: they would read the frame's.
    environment = templates()
    assert environment.loader is not None
    trees = {
        name: environment.parse(environment.loader.get_source(environment, name)[0])
        for name in environment.list_templates()
    }
    frames = {
        extends.template.value
        for tree in trees.values()
        for extends in tree.find_all(nodes.Extends)
        if isinstance(extends.template, nodes.Const)
    }
    assert "base.html.j2" in frames
    assert {frame: names for frame in frames if (names := set(list_set(trees[frame])))} == {}
