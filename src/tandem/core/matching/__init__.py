"""The paper exchange: order books, accounts, markets."""
