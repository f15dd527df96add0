# want: 2:5: this comment has no end
a = /* b
