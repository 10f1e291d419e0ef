"""Candle patterns, as TA-Lib recognizes them."""

from typing import Final

from tandem.strategies.ta.definition import OPEN_TO_CLOSE, WINDOW, Indicator, number


def _candle(name: str, title: str, penetration: float | None = None) -> Indicator:
    """Return one; the usual `penetration` is how far a candle reaches into another's body."""
    return Indicator(
        name=name,
        doc=f"{title}: above 0 where it is bullish, below where bearish, 0 where it is not.",
        inputs=OPEN_TO_CLOSE,
        parameters=()
        if penetration is None
        else (number("penetration", default=penetration, most=3.0),),
        seed=WINDOW,
    )


CANDLES: Final = (
    _candle("cdl2crows", "Two crows"),
    _candle("cdl3blackcrows", "Three black crows"),
    _candle("cdl3inside", "Three inside up or down"),
    _candle("cdl3linestrike", "Three-line strike"),
    _candle("cdl3outside", "Three outside up or down"),
    _candle("cdl3starsinsouth", "Three stars in the south"),
    _candle("cdl3whitesoldiers", "Three advancing white soldiers"),
    _candle("cdlabandonedbaby", "Abandoned baby", 0.3),
    _candle("cdladvanceblock", "Advance block"),
    _candle("cdlbelthold", "Belt-hold"),
    _candle("cdlbreakaway", "Breakaway"),
    _candle("cdlclosingmarubozu", "Closing marubozu"),
    _candle("cdlconcealbabyswall", "Concealing baby swallow"),
    _candle("cdlcounterattack", "Counterattack"),
    _candle("cdldarkcloudcover", "Dark cloud cover", 0.5),
    _candle("cdldoji", "Doji"),
    _candle("cdldojistar", "Doji star"),
    _candle("cdldragonflydoji", "Dragonfly doji"),
    _candle("cdlengulfing", "Engulfing"),
    _candle("cdleveningdojistar", "Evening doji star", 0.3),
    _candle("cdleveningstar", "Evening star", 0.3),
    _candle("cdlgapsidesidewhite", "Up or down gap, side-by-side white lines"),
    _candle("cdlgravestonedoji", "Gravestone doji"),
    _candle("cdlhammer", "Hammer"),
    _candle("cdlhangingman", "Hanging man"),
    _candle("cdlharami", "Harami"),
    _candle("cdlharamicross", "Harami cross"),
    _candle("cdlhighwave", "High wave"),
    _candle("cdlhikkake", "Hikkake"),
    _candle("cdlhikkakemod", "Modified hikkake"),
    _candle("cdlhomingpigeon", "Homing pigeon"),
    _candle("cdlidentical3crows", "Identical three crows"),
    _candle("cdlinneck", "In-neck"),
    _candle("cdlinvertedhammer", "Inverted hammer"),
    _candle("cdlkicking", "Kicking"),
    _candle("cdlkickingbylength", "Kicking, by the longer marubozu"),
    _candle("cdlladderbottom", "Ladder bottom"),
    _candle("cdllongleggeddoji", "Long legged doji"),
    _candle("cdllongline", "Long line"),
    _candle("cdlmarubozu", "Marubozu"),
    _candle("cdlmatchinglow", "Matching low"),
    _candle("cdlmathold", "Mat hold", 0.5),
    _candle("cdlmorningdojistar", "Morning doji star", 0.3),
    _candle("cdlmorningstar", "Morning star", 0.3),
    _candle("cdlonneck", "On-neck"),
    _candle("cdlpiercing", "Piercing"),
    _candle("cdlrickshawman", "Rickshaw man"),
    _candle("cdlrisefall3methods", "Rising or falling three methods"),
    _candle("cdlseparatinglines", "Separating lines"),
    _candle("cdlshootingstar", "Shooting star"),
    _candle("cdlshortline", "Short line"),
    _candle("cdlspinningtop", "Spinning top"),
    _candle("cdlstalledpattern", "Stalled"),
    _candle("cdlsticksandwich", "Stick sandwich"),
    _candle("cdltakuri", "Takuri, a dragonfly doji with a very long lower shadow"),
    _candle("cdltasukigap", "Tasuki gap"),
    _candle("cdlthrusting", "Thrusting"),
    _candle("cdltristar", "Tristar"),
    _candle("cdlunique3river", "Unique 3 river"),
    _candle("cdlupsidegap2crows", "Upside gap two crows"),
    _candle("cdlxsidegap3methods", "Upside or downside gap three methods"),
)
