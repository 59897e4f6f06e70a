"""A bank in memory for the seeded simulation: its own reading, books and messages, every fault by command."""

from tests.simulation.bank.bank import SimulatedBank
from tests.simulation.bank.books import Booking, Terms
from tests.simulation.bank.doors import GatewayDoor, StatementDoor

__all__ = ["Booking", "GatewayDoor", "SimulatedBank", "StatementDoor", "Terms"]
