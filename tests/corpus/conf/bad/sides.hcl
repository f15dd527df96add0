# want: 9:17: the destination lies within the source
# want: 11:1: backup 'b' writes the same copies as backup 'a'
target "usb" "disk" {
  devices = ["/dev/x"]
  pools   = ["usb"]
}
backup "a" {
  source      = "usb"
  destination = "usb:usb/backup"
}
backup "b" {
  source      = "usb:usb/home"
  destination = "usb/backup"
}
