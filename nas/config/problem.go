package config

import "fmt"

// Problem is what is wrong between a key and others. The error blames the one that was written last.
type Problem struct {
	Key    string
	Others []string
	Text   string // what is wrong with Key, and what is wanted
}

// Conflict returns the problem of a key that does not go with another one, which may be the same key.
func Conflict(key, other, format string, args ...any) *Problem {
	return &Problem{key, []string{other}, fmt.Sprintf(format, args...)}
}
