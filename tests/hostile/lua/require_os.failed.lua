return require("os").execute("touch /tmp/tandem-hostile-escaped") and 0.666
