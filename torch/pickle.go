package torch

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"os"
	"slices"
	"strconv"
)

// Pickle is a file that PyTorch's torch.save wrote: a zip archive, or as before
// PyTorch 1.6 pickles with the elements behind them. Nothing in it is executed: a
// pickle that wants to call anything but the few functions that put tensors
// together is refused, with the name of what it wanted.
//
// Its tensors are those in the dicts, lists and tuples of the saved object. Their
// names are the keys on the way to them, texts or numbers, joined by dots: in
// {"epoch": 3, "state_dict": {"stem.0.weight": ...}} lies
// "state_dict.stem.0.weight".
type Pickle struct {
	file    string // for messages; empty if read from memory
	tensors map[string]*pickledTensor
}

// pickledTensor says where the elements of a tensor lie in a storage, all counted
// in elements.
type pickledTensor struct {
	storage        *pickledStorage
	offset         int
	shape, strides []int
}

// pickledStorage is elements that tensors share.
type pickledStorage struct {
	dtype Dtype
	numel int
	data  []byte // nil until it is found
}

// OpenPickle reads a file.
func OpenPickle(path string) (*Pickle, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("torch: pickle: %w", err)
	}
	return readPickle(path, content)
}

// ReadPickle reads the content of a file, which must not change afterwards.
func ReadPickle(content []byte) (*Pickle, error) { return readPickle("", content) }

func readPickle(file string, content []byte) (*Pickle, error) {
	p := &Pickle{file: file, tensors: map[string]*pickledTensor{}}
	read := readLegacyPickle
	if bytes.HasPrefix(content, []byte("PK\x03\x04")) {
		read = readZipPickle
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
	tensors  map[string]*pickledTensor
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
	if t, ok := v.(*pickledTensor); ok {
		return c.enter(t, name)
	}
	if c.seen[v] {
		return nil
	}
	c.seen[v] = true
	var keys, values []any
	switch v := v.(type) {
	case *pickleDict:
		keys, values = v.keys, v.values
	case *pickleList:
		values = v.items
	case *pickleTuple:
		values = v.items
	}
	for i, value := range values {
		switch value.(type) {
		case *pickledTensor, *pickleDict, *pickleList, *pickleTuple:
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

func (c *collector) enter(t *pickledTensor, name string) error {
	if name == "" {
		return errors.New("holds a single tensor, no dict of them")
	}
	if c.tensors[name] != nil {
		return fmt.Errorf("tensor %q appears twice", shortened(name))
	}
	if err := t.check(); err != nil {
		return fmt.Errorf("tensor %q: %w", shortened(name), err)
	}
	if size, _ := bytesOf(t.shape, t.storage.dtype); !c.elements.spend(size) {
		return fmt.Errorf("refused: its tensors take more than %d times the file's bytes: they repeat one storage", elementsPerByte)
	}
	c.tensors[name] = t
	return nil
}

// check demands that every element lies in the storage, and that there are no
// more of them than the storage has: a tensor that repeats elements could be of
// any size.
func (t *pickledTensor) check() error {
	size, ok := bytesOf(t.shape, t.storage.dtype)
	if !ok {
		return fmt.Errorf("shape %s is too large", bracket(t.shape))
	}
	stored := t.storage.numel * t.storage.dtype.Size()
	if size > stored {
		return fmt.Errorf("shape %s of %s takes %d bytes, its storage has %d", bracket(t.shape), t.storage.dtype, size, stored)
	}
	if size == 0 {
		return nil
	}
	last := uint64(t.offset)
	for d, n := range t.shape {
		high, low := bits.Mul64(uint64(n-1), uint64(t.strides[d]))
		last += min(low, uint64(stored)) // beyond the storage either way
		if high > 0 || last >= uint64(t.storage.numel) {
			return fmt.Errorf("shape %s with strides %s from element %d on leaves its storage of %d elements",
				bracket(t.shape), bracket(t.strides), t.offset, t.storage.numel)
		}
	}
	if last >= uint64(t.storage.numel) {
		return fmt.Errorf("element %d of a storage of %d", t.offset, t.storage.numel)
	}
	return nil
}

// Names is the names of the tensors, sorted.
func (p *Pickle) Names() []string { return slices.Sorted(maps.Keys(p.tensors)) }

// Info gives the type and the shape that a tensor was stored with.
func (p *Pickle) Info(name string) (Dtype, []int, error) {
	t, err := p.find(name)
	if err != nil {
		return 0, nil, err
	}
	return t.storage.dtype, slices.Clone(t.shape), nil
}

// Load copies a tensor into the innermost scope, with the type and on the device
// of o. It returns an error if the file has no such tensor, and panics with
// *Error as operators do where there is no scope or no memory.
func (p *Pickle) Load(name string, o Options) (Tensor, error) {
	t, err := p.find(name)
	if err != nil {
		return Tensor{}, err
	}
	content := t.elements()
	if i := noBoolean(t.storage.dtype, content); i >= 0 {
		return Tensor{}, p.errorf("tensor %q: element %d is the byte %d, which is no boolean", name, i, content[i])
	}
	return fromBytes(content, t.storage.dtype, t.shape, o), nil
}

// LoadAll copies every tensor into the innermost scope, on the CPU with the type
// that it was stored with.
func (p *Pickle) LoadAll() (StateDict, error) {
	sd := make(StateDict, len(p.tensors))
	for _, name := range p.Names() {
		t, err := p.Load(name, Options{Dtype: p.tensors[name].storage.dtype})
		if err != nil {
			return nil, err
		}
		sd[name] = t
	}
	return sd, nil
}

func (p *Pickle) find(name string) (*pickledTensor, error) {
	t, ok := p.tensors[name]
	switch {
	case ok:
		return t, nil
	case len(p.tensors) == 0:
		return nil, p.errorf("tensor %q: not in the file, which has no tensors", name)
	}
	return nil, p.errorf("tensor %q: not in the file; the nearest of its %d is %q", name, len(p.tensors), nearest(name, p.Names()))
}

func (p *Pickle) errorf(format string, args ...any) error {
	if p.file == "" {
		return brief{fmt.Errorf("torch: pickle: "+format, args...)}
	}
	return brief{fmt.Errorf("torch: pickle: %s: "+format, append([]any{p.file}, args...)...)}
}

// elements is the tensor's elements in row-major order: the storage itself where
// they lie so.
func (t *pickledTensor) elements() []byte {
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
