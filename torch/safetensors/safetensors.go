// Package safetensors reads and writes files of named tensors in the format of
// https://github.com/huggingface/safetensors, with a checksum where one is wanted.
package safetensors

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"

	"godarts/torch"
	"godarts/torch/internal/stored"
)

// File is a file of named tensors, open for reading: 8 bytes with the
// length of a JSON header, the header, then the elements of every tensor in
// row-major order, little-endian. It is https://github.com/huggingface/safetensors.
//
// Its methods may be called by several goroutines at once, Close excepted.
type File struct {
	file     string // for messages; empty if read from memory
	mapped   []byte // the whole file, to be unmapped by Close
	header   []byte // with its length before it
	data     []byte // what follows the header
	tensors  map[string]place
	metadata map[string]string
	ends     map[string]int // where the texts of metadata end in header, before the quote
	closed   bool
}

// place says how a tensor lies in data.
type place struct {
	dtype      torch.Dtype
	shape      []int
	start, end int // bytes
}

// Open maps a file into memory and checks its header. The file must
// not shrink until Close.
func Open(path string) (*File, error) {
	s := &File{file: path}
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

// Read reads the content of a file, which must not change until Close.
func Read(content []byte) (*File, error) {
	s := &File{}
	if err := s.parse(content, len(content)); err != nil {
		return nil, err
	}
	return s, nil
}

// Close gives the file back. Tensors that were loaded stay.
func (s *File) Close() error {
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
func (s *File) Names() []string { return slices.Sorted(maps.Keys(s.tensors)) }

// Metadata is a copy of the texts that were stored beside the tensors.
func (s *File) Metadata() map[string]string {
	m := make(map[string]string, len(s.metadata))
	maps.Copy(m, s.metadata)
	return m
}

// Info gives the type and the shape that a tensor was stored with.
func (s *File) Info(name string) (torch.Dtype, []int, error) {
	t, err := s.find(name)
	return t.dtype, slices.Clone(t.shape), err
}

// Load copies a tensor into the innermost scope, with the type and on the device
// of o. It returns an error if the file has no such tensor, and panics with
// *Error as operators do where there is no scope or no memory.
func (s *File) Load(name string, o torch.Options) (torch.Tensor, error) {
	t, err := s.find(name)
	if err != nil {
		return torch.Tensor{}, err
	}
	if s.closed {
		return torch.Tensor{}, s.tensorErrorf(name, "the file is closed")
	}
	content := s.data[t.start:t.end]
	if i := stored.NoBoolean(content); t.dtype == torch.Bool && i >= 0 {
		return torch.Tensor{}, s.tensorErrorf(name, "element %d is the byte %d, which is no boolean", i, content[i])
	}
	return torch.FromBytes(content, t.dtype, t.shape, o), nil
}

// LoadAll copies every tensor into the innermost scope, on the CPU with the type
// that it was stored with.
func (s *File) LoadAll() (torch.StateDict, error) {
	sd := make(torch.StateDict, len(s.tensors))
	for _, name := range s.Names() {
		t, err := s.Load(name, torch.Options{Dtype: s.tensors[name].dtype})
		if err != nil {
			return nil, err
		}
		sd[name] = t
	}
	return sd, nil
}

func (s *File) find(name string) (place, error) {
	t, ok := s.tensors[name]
	switch {
	case ok:
		return t, nil
	case len(s.tensors) == 0:
		return t, s.tensorErrorf(name, "not in the file, which has no tensors")
	}
	return t, s.tensorErrorf(name, "not in the file; the nearest of its %d is %q", len(s.tensors), stored.Nearest(name, s.Names()))
}

func (s *File) errorf(format string, args ...any) error {
	if s.file == "" {
		return stored.Brief(fmt.Errorf("torch: safetensors: "+format, args...))
	}
	return stored.Brief(fmt.Errorf("torch: safetensors: %s: "+format, append([]any{s.file}, args...)...))
}

func (s *File) tensorErrorf(name, format string, args ...any) error {
	return s.errorf("tensor %q: "+format, append([]any{name}, args...)...)
}
