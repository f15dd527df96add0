backup b {
  source = "a"
  destination = "c"
  exclude = [
    "x", # y
  ]
}
snapshots {
 frequent = 4
}
