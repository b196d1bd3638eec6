package torch

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	lengthBytes    = 8           // of the header's length, at the start of the file
	maxHeaderBytes = 100_000_000 // the format's own limit
	maxDims        = 64          // of libtorch's iterators
	metadataKey    = "__metadata__"
)

// dtypeNames are the format's names of types, in the order that messages list them.
var dtypeNames = [...]string{
	Float32: "F32", Float64: "F64", Float16: "F16", BFloat16: "BF16",
	Uint8: "U8", Int8: "I8", Int16: "I16", Int32: "I32", Int64: "I64", Bool: "BOOL",
}

// parse checks the header of content and that the tensors fill what follows it;
// fileBytes is content's size where content itself is too short to be mapped.
func (s *Safetensors) parse(content []byte, fileBytes int) error {
	if len(content) < lengthBytes {
		return s.errorf("%d bytes, too few for the header's length", fileBytes)
	}
	n := binary.LittleEndian.Uint64(content)
	if n > maxHeaderBytes {
		return s.errorf("a header of %d bytes, more than the %d allowed", n, maxHeaderBytes)
	}
	if rest := len(content) - lengthBytes; n > uint64(rest) {
		return s.errorf("a header of %d bytes, of which the file has %d", n, rest)
	}
	s.header, s.data = content[:lengthBytes+n], content[lengthBytes+n:]
	header := s.header[lengthBytes:]
	if !utf8.Valid(header) {
		return s.errorf("header: not UTF-8")
	}
	h := headerReader{json.NewDecoder(bytes.NewReader(header))}
	h.UseNumber()
	s.tensors = map[string]stored{}
	if err := h.object(func(key string) error { return s.entry(h, key) }); err != nil {
		return s.errorf("header: offset %d: %w", h.InputOffset(), err)
	}
	if rest := bytes.TrimLeft(header[h.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return s.errorf("header: offset %d: more follows the last brace", len(header)-len(rest))
	}
	return s.checkLayout()
}

// entry reads the value of a key of the header: a tensor, or the metadata.
func (s *Safetensors) entry(h headerReader, key string) error {
	if key == metadataKey {
		s.metadata, s.ends = map[string]string{}, map[string]int{}
		return h.object(func(key string) (err error) {
			s.metadata[key], err = h.text()
			s.ends[key] = lengthBytes + int(h.InputOffset()) - len(`"`)
			return err
		})
	}
	t := stored{start: -1, dtype: -1}
	err := h.object(func(field string) error {
		switch field {
		case "dtype":
			name, err := h.text()
			if err != nil {
				return err
			}
			t.dtype = Dtype(slices.Index(dtypeNames[:], name))
			if t.dtype < 0 {
				return fmt.Errorf("dtype %q is none of %q", name, dtypeNames)
			}
			return nil
		case "shape":
			shape, err := h.sizes(maxDims)
			t.shape = shape
			return err
		case "data_offsets":
			offsets, err := h.sizes(2)
			if err != nil {
				return err
			}
			if len(offsets) != 2 {
				return fmt.Errorf("%d data_offsets, wanted 2", len(offsets))
			}
			t.start, t.end = offsets[0], offsets[1]
			return nil
		}
		return fmt.Errorf("unknown key %q (wanted dtype, shape or data_offsets)", field)
	})
	if err != nil {
		return fmt.Errorf("tensor %q: %w", key, err)
	}
	if t.dtype < 0 || t.shape == nil || t.start < 0 {
		return fmt.Errorf("tensor %q: dtype, shape or data_offsets is missing", key)
	}
	s.tensors[key] = t
	return nil
}

// checkLayout demands that tensors have the length of their shape and lie side
// by side, from the first byte of the data to the last.
func (s *Safetensors) checkLayout() error {
	order := slices.SortedFunc(maps.Keys(s.tensors), func(a, b string) int {
		x, y := s.tensors[a], s.tensors[b]
		return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(x.end, y.end), cmp.Compare(a, b))
	})
	at := 0
	for _, name := range order {
		t := s.tensors[name]
		if t.start > t.end || t.end > len(s.data) {
			return s.tensorErrorf(name, "bytes %d to %d of %d", t.start, t.end, len(s.data))
		}
		size, ok := bytesOf(t.shape, t.dtype)
		if !ok {
			return s.tensorErrorf(name, "shape %s is too large", bracket(t.shape))
		}
		if size != t.end-t.start {
			return s.tensorErrorf(name, "shape %s of %s takes %d bytes, stored are %d",
				bracket(t.shape), dtypeNames[t.dtype], size, t.end-t.start)
		}
		if t.start < at {
			return s.tensorErrorf(name, "starts at byte %d, where another tensor ends at %d", t.start, at)
		}
		if t.start > at {
			return s.tensorErrorf(name, "starts at byte %d; bytes from %d on belong to no tensor", t.start, at)
		}
		at = t.end
	}
	if at < len(s.data) {
		return s.errorf("%d bytes of %d belong to no tensor", len(s.data)-at, len(s.data))
	}
	return nil
}

// bytesOf is the size of a tensor; ok is false where an int64 does not hold it,
// or the strides that libtorch computes, for which an empty dimension counts 1.
func bytesOf(shape []int, d Dtype) (size int, ok bool) {
	strided, empty := uint64(d.Size()), false
	for _, n := range shape {
		empty = empty || n == 0
		high, low := bits.Mul64(strided, uint64(max(n, 1)))
		if n < 0 || high > 0 || low > math.MaxInt64 {
			return 0, false
		}
		strided = low
	}
	if empty {
		return 0, true
	}
	return int(strided), true
}

// headerReader reads JSON token by token: encoding/json's own decoding would
// take the last of two equal keys.
type headerReader struct{ *json.Decoder }

// object reads { "key": value, ... }; value reads what follows each key.
func (h headerReader) object(value func(key string) error) error {
	if err := h.delimiter('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for h.More() {
		key, err := h.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("key %q appears twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return h.delimiter('}')
}

// sizes reads a list of at most n whole numbers, none negative.
func (h headerReader) sizes(n int) ([]int, error) {
	if err := h.delimiter('['); err != nil {
		return nil, err
	}
	list := []int{}
	for h.More() {
		token, err := h.next()
		if err != nil {
			return nil, err
		}
		number, _ := token.(json.Number)
		v, err := strconv.ParseUint(string(number), 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%v is not a size", token)
		}
		if len(list) == n {
			return nil, fmt.Errorf("more than %d numbers", n)
		}
		list = append(list, int(v))
	}
	return list, h.delimiter(']')
}

func (h headerReader) next() (json.Token, error) {
	token, err := h.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

func (h headerReader) text() (string, error) {
	token, err := h.next()
	if err != nil {
		return "", err
	}
	text, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("%v where a string is expected", token)
	}
	return text, nil
}

func (h headerReader) delimiter(want json.Delim) error {
	token, err := h.next()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("%v where %v is expected", token, want)
	}
	return nil
}
