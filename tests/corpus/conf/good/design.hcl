# What the manual shows, as far as it is read today.
target "archiver" "qemu" {
  disks         = ["/var/lib/archiver/system.img"]
  linger        = "2m"
  start_timeout = "10m"
  pools         = ["rpool"]
  ssh { identity_file = "/root/.ssh/archiver" }
}

target nas exec {   // bare labels
  command = [
    "/usr/local/lib/nas", # the program
    trimspace(file("nas.arg")),
    "${env("SET")}-1", /* and its
                          arguments */
  ]
  ssh {
    user     = "backup"
    port     = 2222
    host_key = "ssh-ed25519 AAAA…"
  }
}

snapshots {
  frequent = 4
  hourly   = 24
  daily    = 7
  weekly   = 4
  monthly  = 12
}

backup "safe" {
  source      = "rpool/safe"
  destination = "archiver:rpool/backup" # lands in rpool/backup/rpool/safe
  exclude     = ["rpool/safe/cache/*"]
  timeout     = "25h"
}
backup "nas" {
  source      = "nas:tank/data"
  destination = "archiver:rpool/nas"
}
