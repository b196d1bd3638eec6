// Package rng derives independent random streams from one seed.
//
// A stream has a name, and keys such as epoch, step and index. So every draw is a
// pure function of (seed, name, keys): an exact resume needs no saved state, the
// number of goroutines changes nothing, and a new consumer, which has a name of its
// own, does not shift the draws of others.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream returns the generator of this seed, name and keys, at its start. Equal
// arguments give equal sequences, on every machine and in every version of this
// package. Different arguments, also a different number of keys, give unrelated
// sequences. The generator is not safe for concurrent use.
func Stream(seed int64, name string, key ...int) *rand.Rand {
	text := make([]byte, 0, 128)
	text = binary.LittleEndian.AppendUint64(text, uint64(seed))
	// The length separates the last bytes of the name from the first key.
	text = binary.LittleEndian.AppendUint64(text, uint64(len(name)))
	text = append(text, name...)
	for _, k := range key {
		text = binary.LittleEndian.AppendUint64(text, uint64(k))
	}
	sum := sha256.Sum256(text)
	// Every image starts a stream. PCG has only 16 bytes of state, where ChaCha8 fills
	// a buffer before the first number.
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[0:]), binary.LittleEndian.Uint64(sum[8:])))
}

// Permutation returns the first k elements of a random permutation of 0..n-1.
func Permutation(r *rand.Rand, n, k int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	// Fisher-Yates from the front: after k exchanges the first k are final.
	for i := range k {
		j := i + r.IntN(n-i)
		order[i], order[j] = order[j], order[i]
	}
	return order[:k]
}
