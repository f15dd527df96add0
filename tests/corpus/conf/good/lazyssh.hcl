# Every option of lazyssh's four types of target, as its documentation names them.
target "build-arm" "aws_ec2" {
  image_id             = "ami-00000000000000001"
  instance_type        = "t4g.nano"
  key_name             = "laptop"
  subnet_id            = "subnet-00000000000000001"
  user_data            = <<-EOF
    #cloud-config
    packages: [zfsutils-linux]
  EOF
  iam_instance_profile = "archiver"
  profile              = "backup"
  region               = "eu-central-1"
  check_port           = 2222
  shared               = true
  linger               = "1.5h"

  ebs_block_device {
    device_name           = "/dev/xvda"
    delete_on_termination = true
    encrypted             = false
    kms_key_id            = "11111111-2222-3333-4444-555555555555"
    snapshot_id           = "snap-00000000000000001"
    volume_size           = 40
    volume_type           = "io2"
    iops                  = 400
  }
  ebs_block_device {
    device_name = "/dev/xvdb"
  }
  placement {
    availability_zone = "eu-central-1a"
  }
  attach_volume {
    device_name = "/dev/sdf"
    volume_id   = "vol-00000000000000001"
  }
  attach_volume {
    device_name = "/dev/sdg"
    volume_id   = "vol-00000000000000002"
  }
}

# The least that each must have.
target least aws_ec2 {
  image_id      = "ami-00000000000000002"
  instance_type = "t4g.small"
  key_name      = "laptop"
}

target "build-intel" "hcloud" {
  token       = "0000000000"
  image       = "debian-12"
  server_type = "cx22"
  ssh_key     = "laptop"
  location    = "fsn1"
  user_data   = "#cloud-config\nhostname: build\n"
  labels = {
    "made-by" = "dormouse"
    team      = "storage"
  }
  check_port = "22"
  shared     = false
}

target "desk" "virtualbox" {
  name       = "Debian 12"
  addr       = "192.168.56.10"
  check_port = 22
  start_mode = "gui"
  stop_mode  = "acpisleepbutton"
  linger     = "10m"
}

target "nas.example" "forward" {
  to = "nas.example.org"
}
