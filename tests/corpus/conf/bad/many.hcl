# want: 11:12: 'hourly' must be a whole number
# want: 12:12: here a value is missing
# want: 14:3: unknown attribute 'minutely' in block 'snapshots'
# want: 17:12: this string has no end on its line
# want: 19:14: cannot read the file 'missing'
# want: 22:1: block 'backup' has 0 labels, it must have 1
# want: 25:1: 'source' is missing in block 'backup'
# want: 26:23: operators are not part of this file's language
# want: 27:13: 'timeout' must be a duration
snapshots {
  hourly = "many"
  daily  = @
  weekly = 4
  minutely = 60
}
target "a" "exec" {
  linger = "2m
  pools = ["x"]
  command = [file("missing")]
  ssh { port = 22 }
}
backup {
  source = "x"
}
backup "b" {
  destination = "a:b" + "c"
  timeout = 25
}
