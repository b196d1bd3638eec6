package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"godarts/torch"
)

// Write writes tensors of any device and strides, and texts beside
// them, in the form that File describes. Equal arguments give equal bytes.
// Tensors with larger elements come first, so that each is aligned as PyTorch's
// reader demands, then they go by name.
func Write(w io.Writer, sd torch.StateDict, metadata map[string]string) error {
	names := slices.Sorted(maps.Keys(sd))
	for _, name := range names {
		switch {
		case !sd[name].Defined():
			return fmt.Errorf("torch: safetensors: tensor %q: the zero Tensor cannot be written", name)
		case name == metadataKey:
			return fmt.Errorf("torch: safetensors: tensor %q: the format keeps that name", name)
		case !utf8.ValidString(name):
			return fmt.Errorf("torch: safetensors: tensor %q: the name is not UTF-8", name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(sd[b].Dtype().Size(), sd[a].Dtype().Size())
	})
	header, err := headerOf(names, sd, metadata)
	if err != nil {
		return fmt.Errorf("torch: safetensors: header: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("torch: safetensors: %w", err)
	}
	for _, name := range names {
		if _, err := w.Write(sd[name].Raw()); err != nil {
			return fmt.Errorf("torch: safetensors: tensor %q: %w", name, err)
		}
	}
	return nil
}

// headerOf is the header with its length before it, padded to a multiple of 8.
func headerOf(names []string, sd torch.StateDict, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, lengthBytes))
	b.WriteByte('{')
	encode := json.NewEncoder(&b)
	encode.SetEscapeHTML(false)
	field := func(key string, value any) error {
		if b.Len() > lengthBytes+1 {
			b.WriteByte(',')
		}
		if err := encode.Encode(key); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // Encode ends in a new line
		b.WriteByte(':')
		err := encode.Encode(value)
		b.Truncate(b.Len() - 1)
		return err
	}
	if len(metadata) > 0 {
		for key, text := range metadata {
			if !utf8.ValidString(key) || !utf8.ValidString(text) {
				return nil, fmt.Errorf("metadata %q is not UTF-8", key)
			}
		}
		if err := field(metadataKey, metadata); err != nil {
			return nil, err
		}
	}
	at := 0
	for _, name := range names {
		t := sd[name]
		err := field(name, struct {
			Dtype   string `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{dtypeNames[t.Dtype()], t.Shape(), [2]int{at, at + t.Bytes()}})
		if err != nil {
			return nil, err
		}
		at += t.Bytes()
	}
	b.WriteByte('}')
	for b.Len()%lengthBytes != 0 {
		b.WriteByte(' ')
	}
	if b.Len()-lengthBytes > maxHeaderBytes {
		return nil, fmt.Errorf("%d bytes, more than the %d allowed", b.Len()-lengthBytes, maxHeaderBytes)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-lengthBytes))
	return b.Bytes(), nil
}
