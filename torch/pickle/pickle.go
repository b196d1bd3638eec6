// Package pickle reads the files that PyTorch's torch.save writes, and executes nothing in them.
package pickle

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"os"
	"slices"
	"strconv"

	"godarts/torch"
	"godarts/torch/internal/stored"
)

// File is a file that PyTorch's torch.save wrote: a zip archive, or as before
// PyTorch 1.6 pickles with the elements after them. Nothing in it is executed: a
// pickle that wants to call anything but the few functions that put tensors
// together is refused, with the name of what it wanted.
//
// Its tensors are those in the dicts, lists and tuples of the saved object. Their
// names are the keys on the way to them, texts or numbers, joined by dots: in
// {"epoch": 3, "state_dict": {"stem.0.weight": ...}} lies
// "state_dict.stem.0.weight".
type File struct {
	file    string // for messages; empty if read from memory
	tensors map[string]*tensor
}

// tensor says where the elements of a tensor lie in a storage, all counted
// in elements.
type tensor struct {
	storage        *storage
	offset         int
	shape, strides []int
}

// storage is elements that tensors share.
type storage struct {
	dtype torch.Dtype
	numel int
	data  []byte // nil until it is found
}

// Open reads the file at path.
func Open(path string) (*File, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("torch: pickle: %w", err)
	}
	return read(path, content)
}

// Read reads the content of a file, which must not change afterwards.
func Read(content []byte) (*File, error) { return read("", content) }

func read(file string, content []byte) (*File, error) {
	p := &File{file: file, tensors: map[string]*tensor{}}
	read := readLegacy
	if bytes.HasPrefix(content, []byte("PK\x03\x04")) {
		read = readZip
	}
	object, err := read(content)
	if err != nil {
		return nil, p.errorf("%w", err)
	}
	// Keys stand in the file once, but many short ones can lie below one that is
	// long, and hence the names be longer than the file.
	c := collector{tensors: p.tensors, seen: map[any]bool{}, names: newBudget(namesPerByte, len(content)), elements: newBudget(elementsPerByte, len(content))}
	if err := c.collect(object, "", 0); err != nil {
		return nil, p.errorf("%w", err)
	}
	return p, nil
}

// collector enters tensors under their names.
type collector struct {
	tensors  map[string]*tensor
	seen     map[any]bool // dicts, lists and tuples: one that appears in two places is entered in the first
	names    budget       // bytes of names that may yet be made
	elements budget       // bytes of tensors that may yet be entered
}

// collect enters the tensors in v, whose name is given.
func (c *collector) collect(v any, name string, depth int) error {
	const deepest = 32
	if depth > deepest {
		return fmt.Errorf("%q: nested more than %d deep", shortened(name), deepest)
	}
	if t, ok := v.(*tensor); ok {
		return c.enter(t, name)
	}
	if c.seen[v] {
		return nil
	}
	c.seen[v] = true
	var keys, values []any
	switch v := v.(type) {
	case *dict:
		keys, values = v.keys, v.values
	case *list:
		values = v.items
	case *tuple:
		values = v.items
	}
	for i, value := range values {
		switch value.(type) {
		case *tensor, *dict, *list, *tuple:
		default:
			continue
		}
		var key any = int64(i)
		if keys != nil {
			key = keys[i]
		}
		below, ok := keyText(key)
		if !ok {
			continue
		}
		if name != "" {
			below = name + "." + below
		}
		if !c.names.spend(len(below)) {
			return errors.New("its names are longer than the file")
		}
		if err := c.collect(value, below, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// keyText is a key as part of a name, if it can be one.
func keyText(key any) (text string, ok bool) {
	switch key := key.(type) {
	case string:
		return key, true
	case int64:
		return strconv.FormatInt(key, 10), true
	}
	return "", false
}

func (c *collector) enter(t *tensor, name string) error {
	if name == "" {
		return errors.New("holds a single tensor, no dict of them")
	}
	if c.tensors[name] != nil {
		return fmt.Errorf("tensor %q appears twice", shortened(name))
	}
	if err := t.check(); err != nil {
		return fmt.Errorf("tensor %q: %w", shortened(name), err)
	}
	if size, _ := stored.Bytes(t.shape, t.storage.dtype.Size()); !c.elements.spend(size) {
		return fmt.Errorf("refused: its tensors take more than %d times the file's bytes: they repeat one storage", elementsPerByte)
	}
	c.tensors[name] = t
	return nil
}

// check demands that every element lies in the storage, and that there are no
// more of them than the storage has: a tensor that repeats elements could be of
// any size.
func (t *tensor) check() error {
	size, ok := stored.Bytes(t.shape, t.storage.dtype.Size())
	if !ok {
		return fmt.Errorf("shape %s is too large", stored.Shape(t.shape))
	}
	have := t.storage.numel * t.storage.dtype.Size()
	if size > have {
		return fmt.Errorf("shape %s of %s takes %d bytes, its storage has %d", stored.Shape(t.shape), t.storage.dtype, size, have)
	}
	if size == 0 {
		return nil
	}
	last := uint64(t.offset)
	for d, n := range t.shape {
		high, low := bits.Mul64(uint64(n-1), uint64(t.strides[d]))
		last += min(low, uint64(have)) // beyond the storage either way
		if high > 0 || last >= uint64(t.storage.numel) {
			return fmt.Errorf("shape %s with strides %s from element %d on leaves its storage of %d elements",
				stored.Shape(t.shape), stored.Shape(t.strides), t.offset, t.storage.numel)
		}
	}
	if last >= uint64(t.storage.numel) {
		return fmt.Errorf("element %d of a storage of %d", t.offset, t.storage.numel)
	}
	return nil
}

// Names is the names of the tensors, sorted.
func (p *File) Names() []string { return slices.Sorted(maps.Keys(p.tensors)) }

// Info gives the type and the shape that a tensor was stored with.
func (p *File) Info(name string) (torch.Dtype, []int, error) {
	t, err := p.find(name)
	if err != nil {
		return 0, nil, err
	}
	return t.storage.dtype, slices.Clone(t.shape), nil
}

// Load copies a tensor into the innermost scope, with the type and on the device
// of o. It returns an error if the file has no such tensor, and panics with
// *Error as operators do where there is no scope or no memory.
func (p *File) Load(name string, o torch.Options) (torch.Tensor, error) {
	t, err := p.find(name)
	if err != nil {
		return torch.Tensor{}, err
	}
	content := t.elements()
	if i := stored.NoBoolean(content); t.storage.dtype == torch.Bool && i >= 0 {
		return torch.Tensor{}, p.errorf("tensor %q: element %d is the byte %d, which is no boolean", name, i, content[i])
	}
	return torch.FromBytes(content, t.storage.dtype, t.shape, o), nil
}

// LoadAll copies every tensor into the innermost scope, on the CPU with the type
// that it was stored with.
func (p *File) LoadAll() (torch.StateDict, error) {
	sd := make(torch.StateDict, len(p.tensors))
	for _, name := range p.Names() {
		t, err := p.Load(name, torch.Options{Dtype: p.tensors[name].storage.dtype})
		if err != nil {
			return nil, err
		}
		sd[name] = t
	}
	return sd, nil
}

func (p *File) find(name string) (*tensor, error) {
	t, ok := p.tensors[name]
	switch {
	case ok:
		return t, nil
	case len(p.tensors) == 0:
		return nil, p.errorf("tensor %q: not in the file, which has no tensors", name)
	}
	return nil, p.errorf("tensor %q: not in the file; the nearest of its %d is %q", name, len(p.tensors), stored.Nearest(name, p.Names()))
}

func (p *File) errorf(format string, args ...any) error {
	if p.file == "" {
		return stored.Brief(fmt.Errorf("torch: pickle: "+format, args...))
	}
	return stored.Brief(fmt.Errorf("torch: pickle: %s: "+format, append([]any{p.file}, args...)...))
}

// elements is the tensor's elements in row-major order: the storage itself where
// they lie so.
func (t *tensor) elements() []byte {
	size := t.storage.dtype.Size()
	n, rowMajor := 1, true
	for d := len(t.shape) - 1; d >= 0; d-- {
		rowMajor = rowMajor && (t.shape[d] <= 1 || t.strides[d] == n)
		n *= t.shape[d]
	}
	if n == 0 {
		return nil
	}
	if rowMajor {
		return t.storage.data[t.offset*size:][:n*size]
	}
	out := make([]byte, 0, n*size)
	index := make([]int, len(t.shape))
	at := t.offset
	for {
		out = append(out, t.storage.data[at*size:][:size]...)
		d := len(index) - 1
		for ; d >= 0; d-- { // the last index runs fastest
			index[d]++
			at += t.strides[d]
			if index[d] < t.shape[d] {
				break
			}
			at -= index[d] * t.strides[d]
			index[d] = 0
		}
		if d < 0 {
			return out
		}
	}
}
