"""Names for identifiers and units, so that the type checker tells them apart."""

from typing import NewType

DeskId = NewType("DeskId", str)
CommandId = NewType("CommandId", str)  # chosen by the asker, kept until answered
ParentId = NewType("ParentId", str)
ClientOrderId = NewType("ClientOrderId", str)  # a function of desk, parent, child and attempt
VenueOrderId = NewType("VenueOrderId", str)
ExecutionId = NewType("ExecutionId", str)
InstrumentId = NewType("InstrumentId", str)
VenueId = NewType("VenueId", str)
MarketId = NewType("MarketId", str)  # a set of books in which two orders can meet
ActionId = NewType("ActionId", str)  # the venue's id of one split or dividend
AccountId = NewType("AccountId", str)
HaltId = NewType("HaltId", str)  # one halt that a person gave by hand
SlotId = NewType("SlotId", str)  # the seat a worker process fills, kept through restarts
Incarnation = NewType("Incarnation", str)  # random id of one run of a worker process
AskerId = NewType("AskerId", int)  # one connection of a command line or strategy

Ticks = NewType("Ticks", int)  # a price, in steps of the instrument's tick size
Lots = NewType("Lots", int)  # a quantity, in steps of the instrument's lot size
