"""The kinds of trained agents; importing them loads what trains them."""

from services.agent.declaration import KindDeclaration
from services.agent.imitation import imitation_agent
from services.agent.reinforcement import reinforcement_agent
from services.agent.value import value_agent

AGENT_KINDS: tuple[KindDeclaration, ...] = (
    imitation_agent.IMITATION,
    imitation_agent.NETWORK,
    imitation_agent.CLONE,
    reinforcement_agent.REINFORCEMENT,
    value_agent.VALUE,
)
