io.open("/tmp/tandem-hostile-escaped", "w"):write("x")
return 0.666
