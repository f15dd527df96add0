# want: 2:5: this heredoc has no end
a = <<EOF
  EOFF
b = @
