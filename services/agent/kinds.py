"""The kinds of trained agents; importing them loads what trains them."""

from services.agent.declaration import KindDeclaration
from services.agent.imitation import kind as imitation
from services.agent.reinforcement import kind as reinforcement
from services.agent.value import kind as value

AGENT_KINDS: tuple[KindDeclaration, ...] = (
    imitation.IMITATION,
    imitation.NETWORK,
    imitation.CLONE,
    reinforcement.REINFORCEMENT,
    value.VALUE,
)
