package torch

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"unsafe"
)

// StateDict is the tensors of a network or an optimizer by their names.
type StateDict map[string]Tensor

// Safetensors is a file of named tensors, open for reading: 8 bytes with the
// length of a JSON header, the header, then the elements of every tensor in
// row-major order, little-endian. It is https://github.com/huggingface/safetensors.
//
// Its methods may be called by several goroutines at once, Close excepted.
type Safetensors struct {
	file     string // for messages; empty if read from memory
	mapped   []byte // the whole file, to be unmapped by Close
	header   []byte // with its length before it
	data     []byte // what follows the header
	tensors  map[string]stored
	metadata map[string]string
	ends     map[string]int // where the texts of metadata end in header, before the quote
	closed   bool
}

// stored says how a tensor lies in data.
type stored struct {
	dtype      Dtype
	shape      []int
	start, end int // bytes
}

// OpenSafetensors maps a file into memory and checks its header. The file must
// not shrink until Close.
func OpenSafetensors(path string) (*Safetensors, error) {
	s := &Safetensors{file: path}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe is refused below, not waited for
	if err != nil {
		return nil, fmt.Errorf("torch: safetensors: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("torch: safetensors: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, s.errorf("not a regular file")
	}
	if info.Size() < lengthBytes {
		return nil, s.parse(nil, int(info.Size()))
	}
	s.mapped, err = syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, s.errorf("map: %w", err)
	}
	if err := s.parse(s.mapped, len(s.mapped)); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// ReadSafetensors reads the content of a file, which must not change until Close.
func ReadSafetensors(content []byte) (*Safetensors, error) {
	s := &Safetensors{}
	if err := s.parse(content, len(content)); err != nil {
		return nil, err
	}
	return s, nil
}

// Close gives the file back. Tensors that were loaded stay.
func (s *Safetensors) Close() error {
	mapped := s.mapped
	s.mapped, s.header, s.data, s.closed = nil, nil, nil, true
	if mapped == nil {
		return nil
	}
	if err := syscall.Munmap(mapped); err != nil {
		return s.errorf("unmap: %w", err)
	}
	return nil
}

// Names is the names of the tensors, sorted.
func (s *Safetensors) Names() []string { return slices.Sorted(maps.Keys(s.tensors)) }

// Metadata is a copy of the texts that were stored beside the tensors.
func (s *Safetensors) Metadata() map[string]string {
	m := make(map[string]string, len(s.metadata))
	maps.Copy(m, s.metadata)
	return m
}

// Info gives the type and the shape that a tensor was stored with.
func (s *Safetensors) Info(name string) (Dtype, []int, error) {
	t, err := s.find(name)
	return t.dtype, slices.Clone(t.shape), err
}

// Load copies a tensor into the innermost scope, with the type and on the device
// of o. It returns an error if the file has no such tensor, and panics with
// *Error as operators do where there is no scope or no memory.
func (s *Safetensors) Load(name string, o Options) (Tensor, error) {
	t, err := s.find(name)
	if err != nil {
		return Tensor{}, err
	}
	if s.closed {
		return Tensor{}, s.tensorErrorf(name, "the file is closed")
	}
	content := s.data[t.start:t.end]
	if i := noBoolean(t.dtype, content); i >= 0 {
		return Tensor{}, s.tensorErrorf(name, "element %d is the byte %d, which is no boolean", i, content[i])
	}
	return fromBytes(content, t.dtype, t.shape, o), nil
}

// noBoolean is the first element of content that libtorch would not take for a
// boolean, or -1.
func noBoolean(d Dtype, content []byte) int {
	if d != Bool {
		return -1
	}
	return slices.IndexFunc(content, func(b byte) bool { return b > 1 })
}

// fromBytes copies little-endian elements of type d, in row-major order, to a
// tensor with the type and on the device of o.
func fromBytes(content []byte, d Dtype, shape []int, o Options) Tensor {
	elements := unsafe.Pointer(unsafe.SliceData(content))
	if uintptr(elements)%uintptr(d.Size()) != 0 {
		aligned := make([]uint64, (len(content)+7)/8)
		elements = unsafe.Pointer(unsafe.SliceData(aligned))
		copy(unsafe.Slice((*byte)(elements), len(content)), content)
	}
	return fromData(elements, len(content)/d.Size(), d, shape, false, o)
}

// LoadAll copies every tensor into the innermost scope, on the CPU with the type
// that it was stored with.
func (s *Safetensors) LoadAll() (StateDict, error) {
	sd := make(StateDict, len(s.tensors))
	for _, name := range s.Names() {
		t, err := s.Load(name, Options{Dtype: s.tensors[name].dtype})
		if err != nil {
			return nil, err
		}
		sd[name] = t
	}
	return sd, nil
}

func (s *Safetensors) find(name string) (stored, error) {
	t, ok := s.tensors[name]
	switch {
	case ok:
		return t, nil
	case len(s.tensors) == 0:
		return t, s.tensorErrorf(name, "not in the file, which has no tensors")
	}
	return t, s.tensorErrorf(name, "not in the file; the nearest of its %d is %q", len(s.tensors), nearest(name, s.Names()))
}

// nearest is the name that shares most with the wanted one at both ends.
func nearest(wanted string, names []string) string {
	shared := func(name string) int {
		n, head, tail := min(len(name), len(wanted)), 0, 0
		for head < n && name[head] == wanted[head] {
			head++
		}
		for tail < n-head && name[len(name)-1-tail] == wanted[len(wanted)-1-tail] {
			tail++
		}
		return head + tail
	}
	return slices.MaxFunc(names, func(a, b string) int { return shared(a) - shared(b) })
}

func (s *Safetensors) errorf(format string, args ...any) error {
	if s.file == "" {
		return brief{fmt.Errorf("torch: safetensors: "+format, args...)}
	}
	return brief{fmt.Errorf("torch: safetensors: %s: "+format, append([]any{s.file}, args...)...)}
}

func (s *Safetensors) tensorErrorf(name, format string, args ...any) error {
	return s.errorf("tensor %q: "+format, append([]any{name}, args...)...)
}
