# want: 7:8: 'a b' is not a name for a target
# want: 11:3: unknown attribute 'lingr' in block 'target'
# want: 12:3: unknown block 'shh'
# want: 14:1: unknown block 'backups'
# want: 18:17: there is no target 'nass'
# want: 21:13: unknown kind of target 'quemu'
target "a b" "exec" {
  command = ["x"]
}
target "nas" "exec" {
  lingr   = "2m"
  shh {}
  command = ["x"] }
backups "b" {}

backup "b" {
  source      = "nas:tank"
  destination = "nass:tank"
}

target "vm" "quemu" {}
