# BOM, CRLF, tabs
snapshots {
	hourly = 24 // c
}
backup b {
	source = "tank"
	destination = trimspace(<<-EOF
		vault/b
		EOF
	)
}
