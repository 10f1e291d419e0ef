os.execute("touch /tmp/tandem-hostile-escaped")
return 0.666
