"""Lots that were traded, counted through the splits that came between."""

from fractions import Fraction

from tandem.domain.venue import Adjusted


class ScaledLots:
    """Exact lots after every split so far, and how much rounding them may have lost.

    A split leaves each holder whole lots; what makes none is the account's, paid in money. So each
    holder may lose less than one lot at each split, which later splits multiply.
    """

    def __init__(self) -> None:
        self._lots = Fraction(0)
        self._slack = Fraction(0)

    def __str__(self) -> str:
        return f"{float(self._lots):g}" + (f" ± {float(self._slack):g}" if self._slack else "")

    def trade(self, lots: int) -> None:
        """Count signed lots that were bought, or sold."""
        self._lots += lots

    def split(self, told: Adjusted, *, holders: int) -> None:
        """Scale what was traded before; so many holders were given whole lots."""
        ratio = Fraction(told.numerator, told.denominator)
        self._lots *= ratio
        self._slack = self._slack * ratio + holders

    def allows(self, held: int) -> bool:
        """Whether that many lots can be what is left; without a split they must be the same."""
        return abs(self._lots - held) <= self._slack
