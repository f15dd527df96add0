# want: 15:3: unknown attribute 'instance_typ' in block 'target'
# want: 18:3: a second 'placement' block
# want: 19:3: 'device_name' is missing in block 'ebs_block_device'
# want: 20:5: unknown attribute 'device_nam' in block 'ebs_block_device'
# want: 21:18: 'encrypted' must be true or false
# want: 23:3: unknown block 'attach_volumes'
# want: 31:12: 'labels' must be an object of strings, { name = "value" }
# want: 33:3: 'linger' has no effect with shared = false
# want: 37:16: 'start_mode' must be one of: headless, gui, separate
# want: 38:16: 'check_port' must be a port, a number from 1 to 65535
# want: 39:16: a target of kind 'virtualbox' is always shared
# want: 40:3: unknown block 'placement'
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
