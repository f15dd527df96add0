# Kinds that run on local means.
target "guest" "libvirt" {
  domain            = "archiver"
  uri               = "qemu+ssh://host/system"
  addr              = "archiver.lan"
  stop_mode         = "managedsave"
  power_off_timeout = "2m"
}
target "nas" "wake_on_lan" {
  mac           = "52:54:00:12:34:56"
  addr          = "nas.lan"
  broadcast     = "192.168.1.255"
  wake_port     = 7
  sleep         = "systemctl suspend"
  sleep_timeout = "90s"
  pools         = ["tank"]
}
target "usb" "disk" {
  devices       = ["/dev/disk/by-id/usb-x-part1"]
  pools         = ["usb"]
  power_off     = ["hdparm", "-y", "/dev/disk/by-id/usb-x"]
  start_timeout = "1d"
}
target "pair" "qemu" {
  disks    = ["/srv/base.qcow2"]
  snapshot = true
  shared   = false
}
backup "usb" {
  source      = "rpool/safe"
  destination = "usb:usb/backup"
}
