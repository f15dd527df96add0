target "a" "exec" {
  command = ["x", "${env("A")}"]
  ssh { port = 22 }
}
