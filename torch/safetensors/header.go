package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"godarts/torch"
	"godarts/torch/internal/stored"
)

const (
	lengthBytes    = 8           // of the header's length, at the start of the file
	maxHeaderBytes = 100_000_000 // the format's own limit
	metadataKey    = "__metadata__"
)

// dtypeNames are the format's names of types, in the order that messages list them.
var dtypeNames = [...]string{
	torch.Float32: "F32", torch.Float64: "F64", torch.Float16: "F16", torch.BFloat16: "BF16",
	torch.Uint8: "U8", torch.Int8: "I8", torch.Int16: "I16", torch.Int32: "I32", torch.Int64: "I64", torch.Bool: "BOOL",
}

// parse checks the header of content and that the tensors fill what follows it;
// fileBytes is content's size where content itself is too short to be mapped.
func (s *File) parse(content []byte, fileBytes int) error {
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
	h := &headerReader{header: header}
	s.tensors = map[string]place{}
	var order []named
	err := h.object(func(key string) error {
		if key == metadataKey {
			return s.readMetadata(h)
		}
		t, err := s.entry(h, key)
		if err != nil {
			return err
		}
		s.tensors[key] = t
		order = append(order, named{key, t})
		return nil
	})
	if err != nil {
		return s.errorf("header: offset %d: %w", h.at, err)
	}
	if h.peek(); h.at < len(header) {
		return s.errorf("header: offset %d: more follows the last brace", h.at)
	}
	return s.checkLayout(order)
}

// named is a tensor with its name.
type named struct {
	name string
	place
}

// readMetadata reads the texts beside the tensors.
func (s *File) readMetadata(h *headerReader) error {
	if s.metadata != nil {
		return twice(metadataKey)
	}
	s.metadata, s.ends = map[string]string{}, map[string]int{}
	return h.object(func(key string) (err error) {
		if _, ok := s.metadata[key]; ok {
			return twice(key)
		}
		s.metadata[key], err = h.text()
		s.ends[key] = lengthBytes + h.at - len(`"`)
		return err
	})
}

func twice(key string) error { return fmt.Errorf("key %q appears twice", key) }

// entry reads what the header says of a tensor.
func (s *File) entry(h *headerReader, name string) (place, error) {
	t := place{start: -1, dtype: -1}
	if _, ok := s.tensors[name]; ok {
		return t, twice(name)
	}
	err := h.object(func(key string) error { return t.field(h, key) })
	if err != nil {
		return t, fmt.Errorf("tensor %q: %w", name, err)
	}
	if t.dtype < 0 || t.shape == nil || t.start < 0 {
		return t, fmt.Errorf("tensor %q: dtype, shape or data_offsets is missing", name)
	}
	return t, nil
}

// field reads one of the three things that the header says of a tensor.
func (t *place) field(h *headerReader, key string) (err error) {
	switch key {
	case "dtype":
		if t.dtype >= 0 {
			return twice(key)
		}
		name, err := h.text()
		if err != nil {
			return err
		}
		t.dtype = torch.Dtype(slices.Index(dtypeNames[:], name))
		if t.dtype < 0 {
			return fmt.Errorf("dtype %q is none of %q", name, dtypeNames)
		}
		return nil
	case "shape":
		if t.shape != nil {
			return twice(key)
		}
		t.shape, err = h.sizes([]int{}, stored.MaxDims)
		return err
	case "data_offsets":
		if t.start >= 0 {
			return twice(key)
		}
		var both [2]int
		offsets, err := h.sizes(both[:0], len(both))
		if err != nil {
			return err
		}
		if len(offsets) != len(both) {
			return fmt.Errorf("%d data_offsets, wanted 2", len(offsets))
		}
		t.start, t.end = offsets[0], offsets[1]
		return nil
	}
	return fmt.Errorf("unknown key %q (wanted dtype, shape or data_offsets)", key)
}

// checkLayout demands that tensors have the length of their shape and lie side
// by side, from the first byte of the data to the last. It sorts them, which takes
// one pass where the header has them as they lie.
func (s *File) checkLayout(tensors []named) error {
	slices.SortFunc(tensors, func(x, y named) int { return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(x.end, y.end)) })
	at := 0
	for _, t := range tensors {
		name := t.name
		if t.start > t.end || t.end > len(s.data) {
			return s.tensorErrorf(name, "bytes %d to %d of %d", t.start, t.end, len(s.data))
		}
		size, ok := stored.Bytes(t.shape, t.dtype.Size())
		if !ok {
			return s.tensorErrorf(name, "shape %s is too large", stored.Shape(t.shape))
		}
		if size != t.end-t.start {
			return s.tensorErrorf(name, "shape %s of %s takes %d bytes, stored are %d",
				stored.Shape(t.shape), dtypeNames[t.dtype], size, t.end-t.start)
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

// headerReader reads JSON token by token, each byte once: encoding/json would take
// the last of two equal keys, and allocates for every token.
type headerReader struct {
	header []byte // valid UTF-8
	at     int
}

// object reads { "key": value, ... }; value reads what follows each key.
func (h *headerReader) object(value func(key string) error) error {
	return h.list('{', '}', func() error {
		key, err := h.text()
		if err == nil {
			err = h.delimiter(':')
		}
		if err != nil {
			return err
		}
		return value(key)
	})
}

// list reads items with commas between them.
func (h *headerReader) list(first, last byte, item func() error) error {
	if err := h.delimiter(first); err != nil {
		return err
	}
	if h.peek() == last {
		h.at++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if h.peek() != ',' {
			return h.delimiter(last)
		}
		h.at++
	}
}

// sizes appends a list of at most n whole numbers, none negative, to sizes.
func (h *headerReader) sizes(sizes []int, n int) ([]int, error) {
	err := h.list('[', ']', func() error {
		h.peek()
		start := h.at
		for h.at < len(h.header) && strings.IndexByte("+-.0123456789Ee", h.header[h.at]) >= 0 {
			h.at++
		}
		number := h.header[start:h.at]
		if len(number) == 0 {
			return h.unexpected("a size")
		}
		v, err := strconv.ParseUint(string(number), 10, 63)
		if err != nil || number[0] == '0' && len(number) > 1 {
			return fmt.Errorf("%s is not a size", number)
		}
		if len(sizes) == n {
			return fmt.Errorf("more than %d numbers", n)
		}
		sizes = append(sizes, int(v))
		return nil
	})
	return sizes, err
}

// text reads a string.
func (h *headerReader) text() (string, error) {
	if h.peek() != '"' {
		return "", h.unexpected("a string")
	}
	start, escapes := h.at, false
	for h.at++; h.at < len(h.header) && h.header[h.at] != '"'; h.at++ {
		if h.header[h.at] == '\\' {
			escapes = true
			h.at++ // what it escapes may be a quote
		}
		if h.at < len(h.header) && h.header[h.at] < ' ' {
			return "", fmt.Errorf("the control character %#02x in a text", h.header[h.at])
		}
	}
	if h.at >= len(h.header) {
		h.at = len(h.header)
		return "", io.ErrUnexpectedEOF
	}
	h.at++
	if !escapes {
		return string(h.header[start+1 : h.at-1]), nil
	}
	var text string
	err := json.Unmarshal(h.header[start:h.at], &text)
	return text, err
}

// delimiter takes a character that must come next.
func (h *headerReader) delimiter(want byte) error {
	if h.peek() != want {
		return h.unexpected(string(rune(want)))
	}
	h.at++
	return nil
}

// unexpected is the error of what comes next.
func (h *headerReader) unexpected(want string) error {
	if h.at == len(h.header) {
		return io.ErrUnexpectedEOF
	}
	r, size := utf8.DecodeRune(h.header[h.at:])
	h.at += size
	return fmt.Errorf("%c where %s is expected", r, want)
}

// peek is the first character of what comes next, or 0 at the end.
func (h *headerReader) peek() byte {
	for ; h.at < len(h.header); h.at++ {
		switch c := h.header[h.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}
