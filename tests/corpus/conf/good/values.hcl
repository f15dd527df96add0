target "values" "exec" {
  command = [
    "\u00e9 \U0001F600 \n\r\t\"\\ $${x} %%{y} 100% $5",
    "${"a"}${5}${true} ${~ trimspace("  b ") ~} c",
    <<A
  as it stands \n $${x}
A
    ,
    <<-B-1
      less by six
        by six, too

      ${env("SET")}
      B-1
    , ("in parentheses"), (
      "on three lines"
    ),
  ]
  pools = []
}
target "empty" "exec" { command = ["x"] }
target "a.b_C-9" "qemu" {
  memory = 4096
  cpus   = "2"
  linger = null
}
