# want: 7:3: 'linger' stands here twice
# want: 10:1: a second target 'a'
# want: 15:1: a second backup 'b'
target "a" "exec" {
  command = ["x"]
  linger = "1m"
  linger = "2m"
}

target "a" "exec" { command = ["x"] }
backup "b" {
  source = "tank"
  destination = "a:vault"
}
backup "b" {
  source = "tank"
  destination = "a:vault"
}
