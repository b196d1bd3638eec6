package torchtest

import "runtime"

// Allocated is the memory in bytes that fn took, freed or not.
func Allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Allowance is the memory in bytes that reading a hostile file may take: what its texts
// become is some times as large as they are.
func Allowance(content []byte) uint64 { return 64*uint64(len(content)) + 1<<16 }
