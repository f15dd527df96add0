a = <<-EOF
    x ${trimspace(file("y"))}
      z
    EOF
b = { c = 1, d: "e" }
