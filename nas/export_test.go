package nas

// RecordLate has steps record late on the CPU, as on a GPU, until the function that it returns is called.
func RecordLate() (end func()) {
	recordsLate = true
	return func() { recordsLate = false }
}
