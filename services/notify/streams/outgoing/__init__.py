"""What goes out: who is told of what (`tell`), and the sending of it (`send`)."""
