// Package rng derives independent random streams from one seed.
//
// A stream is named, and numbered by keys such as epoch, step and index, so
// whatever is drawn is a pure function of (seed, name, keys): there is no state
// to save for an exact resume, the number of goroutines changes nothing, and a
// new consumer, having a name of its own, shifts no other.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream returns the generator named by seed, name and keys, at its beginning.
// Equal arguments give equal sequences, on every machine and in every version
// of this package; arguments that differ anywhere, the number of keys included,
// give unrelated ones. The generator is not safe for concurrent use.
func Stream(seed int64, name string, key ...int) *rand.Rand {
	text := make([]byte, 0, 128)
	text = binary.LittleEndian.AppendUint64(text, uint64(seed))
	// The length keeps a name's last bytes apart from the first key.
	text = binary.LittleEndian.AppendUint64(text, uint64(len(name)))
	text = append(text, name...)
	for _, k := range key {
		text = binary.LittleEndian.AppendUint64(text, uint64(k))
	}
	sum := sha256.Sum256(text)
	// PCG rather than ChaCha8: a stream is started for every image, and PCG has
	// 16 bytes of state and nothing to fill before the first number.
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
