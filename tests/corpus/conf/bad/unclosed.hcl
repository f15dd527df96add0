# want: 2:11: the block 'snapshots' is not closed
snapshots {
  hourly = 1
backup "b" {
  source = "tank"
}
