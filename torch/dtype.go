package torch

import "fmt"

// Dtype is the type of a tensor's elements. The zero value is Float32.
type Dtype int8

const (
	Float32 Dtype = iota
	Float64
	Float16
	BFloat16
	Uint8
	Int8
	Int16
	Int32
	Int64
	Bool
)

var dtypes = [...]struct {
	name string
	size int // bytes
	code int // libtorch's number, c10::ScalarType
}{
	Float32:  {"float32", 4, 6},
	Float64:  {"float64", 8, 7},
	Float16:  {"float16", 2, 5},
	BFloat16: {"bfloat16", 2, 15},
	Uint8:    {"uint8", 1, 0},
	Int8:     {"int8", 1, 1},
	Int16:    {"int16", 2, 2},
	Int32:    {"int32", 4, 3},
	Int64:    {"int64", 8, 4},
	Bool:     {"bool", 1, 11},
}

// dtypeOf is the type with libtorch's number code; Misuse for one that has no
// name here.
func dtypeOf(code int) Dtype {
	d, ok := findDtype(code)
	if !ok {
		Misuse("dtype", "libtorch's scalar type %d is not supported", code)
	}
	return d
}

func findDtype(code int) (d Dtype, ok bool) {
	for d, t := range dtypes {
		if t.code == code {
			return Dtype(d), true
		}
	}
	return 0, false
}

// code is libtorch's number of d.
func (d Dtype) code() int {
	if d < 0 || int(d) >= len(dtypes) {
		Misuse("dtype", "unknown type %s", d)
	}
	return dtypes[d].code
}

// String gives PyTorch's name: "float32".
func (d Dtype) String() string {
	if d < 0 || int(d) >= len(dtypes) {
		return fmt.Sprintf("dtype(%d)", int8(d))
	}
	return dtypes[d].name
}

// Size is the size of one element in bytes.
func (d Dtype) Size() int {
	d.code() // panics for a type that is none
	return dtypes[d].size
}

// IsFloat tells whether d can have a gradient.
func (d Dtype) IsFloat() bool {
	return d == Float16 || d == Float32 || d == Float64 || d == BFloat16
}

// ParseDtype reads PyTorch's name of a type.
func ParseDtype(name string) (Dtype, error) {
	for d, t := range dtypes {
		if t.name == name {
			return Dtype(d), nil
		}
	}
	return 0, fmt.Errorf("torch: unknown dtype %q (wanted float32, float64, ...)", name)
}
