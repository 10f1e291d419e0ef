::top::
goto top
