# want: 14:1: 'key_name' is missing in block 'target'
# want: 16:3: unknown attribute 'instance_typ' in block 'target'
# want: 19:3: a second 'placement' block
# want: 20:3: 'device_name' is missing in block 'ebs_block_device'
# want: 21:5: unknown attribute 'device_nam' in block 'ebs_block_device'
# want: 22:18: 'encrypted' must be true or false
# want: 24:3: unknown block 'attach_volumes'
# want: 32:12: 'labels' must be an object of strings, { name = "value" }
# want: 34:3: 'linger' has no effect with shared = false
# want: 38:16: 'start_mode' must be one of: headless, gui, separate
# want: 39:16: 'check_port' must be a port, a number from 1 to 65535
# want: 40:16: a target of kind 'virtualbox' is always shared
# want: 41:3: unknown block 'placement'
target ec2 aws_ec2 {
  image_id       = "ami-1"
  instance_typ   = "t4g.nano"
  instance_type  = "t4g.nano"
  placement {}
  placement {}
  ebs_block_device {
    device_nam = "x"
    encrypted  = "maybe"
  }
  attach_volumes {}
}
target h hcloud {
  token = "t"
  image = "i"
  server_type = "s"
  ssh_key = "k"
  location = "l"
  labels = ["a"]
  shared = false
  linger = "1m"
}
target v virtualbox {
  name       = "x"
  start_mode = "hidden"
  check_port = 0
  shared     = false
  placement {}
}
