log(os.getenv("TANDEM_HOSTILE_SECRET"))
return 0.666
