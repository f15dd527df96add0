# want: 2:6: byte 0xe9 at offset
a = "é"
