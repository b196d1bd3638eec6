package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"godarts/torch"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

// encoded is the file of a state dict.
func encoded(t testing.TB, sd torch.StateDict, metadata map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, sd, metadata); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file puts the header's length before header, and data after it.
func file(header string, data ...byte) []byte {
	content := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(content, header...), data...)
}

// values are float32 of both signs, in no order.
func values(shape ...int) torch.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*5%23)/8 - 1.3
	}
	return torch.FromSlice(x, shape...)
}

func TestRoundTrip(t *testing.T) {
	// A file gives every tensor back, bit by bit, when tensors of all types and layouts were written.
	torchtest.Scope(t)
	sd := torch.StateDict{
		"matrix":     values(2, 3),
		"transposed": values(2, 3).T(),
		"images":     values(2, 3, 2, 2).ChannelsLast(),
		"number":     torch.Scalar(-0.1, torch.Options{Dtype: torch.Float64}),
		"empty":      torch.Zeros([]int{3, 0}, torch.Options{Dtype: torch.Int64}),
		"leaf":       torch.Ones([]int{2}, torch.Options{}).RequiresGrad_(true),
		"odd \"<é>":  torch.FromSlice([]float32{float32(math.NaN()), float32(math.Inf(-1)), float32(math.Copysign(0, -1))}, 3),
	}
	for d := torch.Float32; d <= torch.Bool; d++ {
		sd["type."+d.String()] = torch.FromSlice([]int64{0, 1, 1}, 3).ToDtype(d)
	}
	metadata := map[string]string{"b": "2", "a": "<&>\n\"é"}
	content := encoded(t, sd, metadata)
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	mapped, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	read, err := safetensors.Read(content)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*safetensors.File{"mapped": mapped, "read": read} {
		if got := s.Names(); !slices.Equal(got, slices.Sorted(maps.Keys(sd))) {
			t.Errorf("%s: names %q", name, got)
		}
		if got := s.Metadata(); !maps.Equal(got, metadata) {
			t.Errorf("%s: metadata %q", name, got)
		}
		loaded, err := s.LoadAll()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for key, want := range sd {
			got := loaded[key]
			d, shape, err := s.Info(key)
			if err != nil || d != want.Dtype() || !slices.Equal(shape, want.Shape()) {
				t.Errorf("%s: %q is %s %v, %v", name, key, d, shape, err)
			}
			if got.Dtype() != want.Dtype() || !slices.Equal(got.Shape(), want.Shape()) || !bytes.Equal(got.Raw(), want.Raw()) {
				t.Errorf("%s: %q is %v, want %v", name, key, got, want)
			}
		}
		if !bytes.Equal(encoded(t, loaded, metadata), content) {
			t.Errorf("%s: written again, the file differs", name)
		}
	}
}

func TestLayout(t *testing.T) {
	// The file has exactly these bytes, aligned elements first, when written.
	torchtest.Scope(t)
	sd := torch.StateDict{
		"a": torch.FromSlice([]uint8{7}, 1),
		"c": torch.FromSlice([]int16{1, 2}, 2),
		"b": torch.FromSlice([]int16{-1}, 1, 1),
	}
	header := `{"__metadata__":{"k":"v"},` +
		`"b":{"dtype":"I16","shape":[1,1],"data_offsets":[0,2]},` +
		`"c":{"dtype":"I16","shape":[2],"data_offsets":[2,6]},` +
		`"a":{"dtype":"U8","shape":[1],"data_offsets":[6,7]}}`
	header += strings.Repeat(" ", 7-(len(header)+7)%8)
	want := file(header, 0xff, 0xff, 1, 0, 2, 0, 7)
	if got := encoded(t, sd, map[string]string{"k": "v"}); !bytes.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if got, want := encoded(t, nil, nil), file("{}      "); !bytes.Equal(got, want) {
		t.Errorf("of nothing: got %q, want %q", got, want)
	}
}

func TestLoad(t *testing.T) {
	// Load converts, copies and finds elements that are not aligned when it is asked for one tensor.
	torchtest.Scope(t)
	content := file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}`,
		5, 0, 0, 128, 63, 0, 0, 0, 192)
	s, err := safetensors.Read(content)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Load("b", torch.Options{Dtype: torch.Float64})
	if err != nil || b.Dtype() != torch.Float64 || !slices.Equal(b.Float64s(), []float64{1, -2}) {
		t.Errorf("got %v, %v", b, err)
	}
	content[len(content)-1] = 64
	if got := b.Float64s()[1]; got != -2 {
		t.Errorf("the tensor changed to %v with the file", got)
	}
	s.Metadata()["k"] = "v"
	if len(s.Metadata()) != 0 {
		t.Error("the metadata is not a copy")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Load("b", torch.Options{Dtype: torch.Float64}); err == nil || err.Error() != `torch: safetensors: tensor "b": the file is closed` {
		t.Errorf("after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestRecording(t *testing.T) {
	// A file of the format's other writers opens when it is a recording.
	torchtest.Scope(t)
	s := torchtest.Golden(t, torchtest.Fixture(t, "cnn_search_first_order.safetensors"))
	if got := s.Metadata()["kind"]; got != "cnn-search" {
		t.Errorf("kind %q", got)
	}
	sd, err := s.LoadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(sd) < 100 || sd["final.eval_logits"].Dtype() != torch.Float64 || !slices.Equal(sd["final.eval_logits"].Shape(), []int{3, 10}) {
		t.Errorf("%d tensors, eval_logits %v", len(sd), sd["final.eval_logits"])
	}
}

func TestUnknownName(t *testing.T) {
	// The error names the nearest tensor when the file lacks the one that is asked for.
	torchtest.Scope(t)
	s, err := safetensors.Read(encoded(t, torch.StateDict{
		"stem.0.weight": values(1), "cells.0.weight": values(1), "cells.0.bias": values(1), "cells.11.weight": values(1),
	}, nil))
	if err != nil {
		t.Fatal(err)
	}
	none, err := safetensors.Read(encoded(t, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		s          *safetensors.File
		name, want string
	}{
		{s, "cells.1.weight", `tensor "cells.1.weight": not in the file; the nearest of its 4 is "cells.11.weight"`},
		{s, "stem.weight", `tensor "stem.weight": not in the file; the nearest of its 4 is "stem.0.weight"`},
		{s, "cells.0.bia", `tensor "cells.0.bia": not in the file; the nearest of its 4 is "cells.0.bias"`},
		{none, "x", `tensor "x": not in the file, which has no tensors`},
	} {
		_, _, infoErr := test.s.Info(test.name)
		_, loadErr := test.s.Load(test.name, torch.Options{})
		for _, err := range []error{infoErr, loadErr} {
			if want := "torch: safetensors: " + test.want; fmt.Sprint(err) != want {
				t.Errorf("error\n got %v\nwant %s", err, want)
			}
		}
	}
}

// damaged files and what is wrong with them.
var damaged = []struct {
	name    string
	content []byte
	want    string
}{
	{"nothing", nil, "0 bytes, too few for the header's length"},
	{"a cut length", []byte("1234567"), "7 bytes, too few for the header's length"},
	{"a huge length", []byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "a header of 18446744073709551615 bytes, more than the 100000000 allowed"},
	{"a length beyond the file", file("{}")[:9], "a header of 2 bytes, of which the file has 1"},
	{"a length of nothing", file(""), "header: offset 0: unexpected EOF"},
	{"no JSON", file("hello"), "header: offset 1: h where { is expected"},
	{"a list", file("[]"), "header: offset 1: [ where { is expected"},
	{"cut JSON", file(`{"a":`), `header: offset 5: tensor "a": unexpected EOF`},
	{"no UTF-8", file("{\"\xff\":1}"), "header: not UTF-8"},
	{"a text without end", file(`{"a\"`), `header: offset 5: unexpected EOF`},
	{"a text that ends in an escape", file(`{"a\`), `header: offset 4: unexpected EOF`},
	{"an unknown escape", file(`{"\x":1}`), `header: offset 5: invalid character 'x' in string escape code`},
	{"a control character", file("{\"a\nb\":1}"), `header: offset 3: the control character 0x0a in a text`},
	{"an escaped control character", file("{\"a\\\nb\":1}"), `header: offset 4: the control character 0x0a in a text`},
	{"no colon", file(`{"a" 1}`), `header: offset 6: 1 where : is expected`},
	{"a comma too many", file(`{"__metadata__":{},}`), `header: offset 20: } where a string is expected`},
	{"a comma too few", file(`{"__metadata__":{} "a":1}`), `header: offset 20: " where } is expected`},
	{"more after", file("{} {}"), "header: offset 3: more follows the last brace"},
	{"an entry that is a number", file(`{"a":1}`), `header: offset 6: tensor "a": 1 where { is expected`},
	{"metadata that is no text", file(`{"__metadata__":{"a":1}}`), "header: offset 22: 1 where a string is expected"},
	{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`), `header: offset 34: key "__metadata__" appears twice`},
	{"a metadata key twice", file(`{"__metadata__":{"k":"","k":""}}`), `header: offset 28: key "k" appears twice`},
	{"a name twice", file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}`), `header: offset 57: key "a" appears twice`},
	{"a field twice", file(`{"a":{"dtype":"U8","dtype":"I8"}}`), `header: offset 27: tensor "a": key "dtype" appears twice`},
	{"an unknown field", file(`{"a":{"Dtype":"U8"}}`), `header: offset 14: tensor "a": unknown key "Dtype" (wanted dtype, shape or data_offsets)`},
	{"a missing field", file(`{"a":{"dtype":"U8","shape":[0]}}`), `header: offset 31: tensor "a": dtype, shape or data_offsets is missing`},
	{"an unknown type", file(`{"a":{"dtype":"F8_E4M3"}}`),
		`header: offset 23: tensor "a": dtype "F8_E4M3" is none of ["F32" "F64" "F16" "BF16" "U8" "I8" "I16" "I32" "I64" "BOOL"]`},
	{"a negative size", file(`{"a":{"shape":[-1]}}`), `header: offset 17: tensor "a": -1 is not a size`},
	{"a broken size", file(`{"a":{"shape":[1.5]}}`), `header: offset 18: tensor "a": 1.5 is not a size`},
	{"a size with a zero before it", file(`{"a":{"shape":[01]}}`), `header: offset 17: tensor "a": 01 is not a size`},
	{"sizes without comma", file(`{"a":{"shape":[1 1]}}`), `header: offset 18: tensor "a": 1 where ] is expected`},
	{"a size beyond 63 bits", file(`{"a":{"shape":[9223372036854775808]}}`), `header: offset 34: tensor "a": 9223372036854775808 is not a size`},
	{"a list of lists", file(`{"a":{"shape":[[]]}}`), `header: offset 16: tensor "a": [ where a size is expected`},
	{"too many dimensions", file(`{"a":{"shape":[` + strings.Repeat("1,", 64) + `1]}}`), `header: offset 144: tensor "a": more than 64 numbers`},
	{"three offsets", file(`{"a":{"data_offsets":[0,1,2]}}`), `header: offset 27: tensor "a": more than 2 numbers`},
	{"one offset", file(`{"a":{"data_offsets":[0]}}`), `header: offset 24: tensor "a": 1 data_offsets, wanted 2`},
	{"an end before the start", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}`, 0), `tensor "a": bytes 1 to 0 of 1`},
	{"an end beyond the file", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 0), `tensor "a": bytes 0 to 2 of 1`},
	{"a wrong length", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 0, 0, 0, 0), `tensor "a": shape [2] of F32 takes 8 bytes, stored are 4`},
	{"a product that overflows to the length", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`),
		`tensor "a": shape [4294967296, 4294967296] is too large`},
	{"an empty shape whose strides overflow", file(`{"a":{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}`),
		`tensor "a": shape [0, 4294967296, 4294967296] is too large`},
	{"an overlap", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 0, 0, 0),
		`tensor "b": starts at byte 1, where another tensor ends at 2`},
	{"a hole", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 0, 0, 0),
		`tensor "b": starts at byte 2; bytes from 1 on belong to no tensor`},
	{"bytes after the last tensor", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 0, 0, 0), "2 bytes of 3 belong to no tensor"},
}

func TestDamaged(t *testing.T) {
	// The error says what is wrong, where, and takes no memory to say so, when a file is damaged.
	dir := t.TempDir()
	for _, test := range damaged {
		t.Run(test.name, func(t *testing.T) {
			_, err := safetensors.Read(test.content)
			if want := "torch: safetensors: " + test.want; fmt.Sprint(err) != want {
				t.Errorf("error\n got %v\nwant %s", err, want)
			}
			path := filepath.Join(dir, "x")
			if err := os.WriteFile(path, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = safetensors.Open(path)
			if want := "torch: safetensors: " + path + ": " + test.want; fmt.Sprint(err) != want {
				t.Errorf("error of the file\n got %v\nwant %s", err, want)
			}
			if got, most := torchtest.Allocated(func() { _, _ = safetensors.Read(test.content) }), torchtest.Allowance(test.content); got > most {
				t.Errorf("%d bytes allocated, more than %d", got, most)
			}
		})
	}
}

// manyTensors is a file of n empty tensors, whose header is long and which has no data.
func manyTensors(n int) []byte {
	header := []byte{'{'}
	for i := range n {
		header = fmt.Appendf(header, `"cells.%d.weight":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`, i)
	}
	header[len(header)-1] = '}'
	return file(string(header))
}

func TestMany(t *testing.T) {
	// Reading takes a few allocations a tensor, makes none of them and says in 300 characters that one is missing, when a header has very many.
	torchtest.Scope(t)
	const n = 50_000
	content, live := manyTensors(n), torch.Live()
	var s *safetensors.File
	allocations := testing.AllocsPerRun(1, func() {
		var err error
		if s, err = safetensors.Read(content); err != nil {
			t.Fatal(err)
		}
	})
	if most := 8.0 * n; allocations > most { // of names, keys, sizes and the map
		t.Errorf("%v allocations for %d tensors, more than %v", allocations, n, most)
	}
	_, err := s.Load(strings.Repeat("x", 1000), torch.Options{})
	if n := utf8.RuneCountInString(fmt.Sprint(err)); err == nil || n > 300 {
		t.Errorf("%d characters: %v", n, err)
	}
	if torch.Live() != live {
		t.Errorf("%d tensors were made", torch.Live()-live)
	}
}

func TestOpen(t *testing.T) {
	// The error names the path when it is no file.
	dir := t.TempDir()
	if _, err := safetensors.Open(dir); fmt.Sprint(err) != "torch: safetensors: "+dir+": not a regular file" {
		t.Errorf("a folder: %v", err)
	}
	path := filepath.Join(dir, "none")
	if _, err := safetensors.Open(path); !errors.Is(err, os.ErrNotExist) ||
		fmt.Sprint(err) != "torch: safetensors: open "+path+": no such file or directory" {
		t.Errorf("no file: %v", err)
	}
}

func TestBoolean(t *testing.T) {
	// Load refuses a boolean when its byte is neither 0 nor 1.
	torchtest.Scope(t)
	s, err := safetensors.Read(file(`{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}`, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	want := `torch: safetensors: tensor "a": element 1 is the byte 2, which is no boolean`
	if _, err := s.LoadAll(); fmt.Sprint(err) != want {
		t.Errorf("error\n got %v\nwant %s", err, want)
	}
}

// brokenPipe takes n bytes.
type brokenPipe struct{ n int }

var errPipe = errors.New("pipe is broken")

func (p *brokenPipe) Write(b []byte) (int, error) {
	if p.n -= len(b); p.n < 0 {
		return 0, errPipe
	}
	return len(b), nil
}

func TestWriteErrors(t *testing.T) {
	// The error names the tensor when it cannot be written.
	torchtest.Scope(t)
	x := values(2, 2)
	for _, test := range []struct {
		name     string
		sd       torch.StateDict
		metadata map[string]string
		room     int
		want     string
	}{
		{"the zero Tensor", torch.StateDict{"a": x, "b": {}}, nil, 1000, `tensor "b": the zero Tensor cannot be written`},
		{"the metadata's name", torch.StateDict{"__metadata__": x}, nil, 1000, `tensor "__metadata__": the format keeps that name`},
		{"a name that is no text", torch.StateDict{"\xff": x}, nil, 1000, `tensor "\xff": the name is not UTF-8`},
		{"metadata that is no text", nil, map[string]string{"a": "\xff"}, 1000, `header: metadata "a" is not UTF-8`},
		{"no room for the header", torch.StateDict{"a": x}, nil, 10, "pipe is broken"},
		{"no room for a tensor", torch.StateDict{"a": x, "b": x}, nil, len(encoded(t, torch.StateDict{"a": x, "b": x}, nil)) - 1, `tensor "b": pipe is broken`},
	} {
		err := safetensors.Write(&brokenPipe{test.room}, test.sd, test.metadata)
		if want := "torch: safetensors: " + test.want; fmt.Sprint(err) != want {
			t.Errorf("%s: error\n got %v\nwant %s", test.name, err, want)
		}
	}
	if err := safetensors.Write(&brokenPipe{}, nil, nil); !errors.Is(err, errPipe) {
		t.Errorf("error %v", err)
	}
}

func FuzzSafetensors(f *testing.F) {
	for _, test := range damaged {
		f.Add(test.content)
	}
	err := torch.Do(func() error {
		f.Add(encoded(f, torch.StateDict{"a": values(2, 3), "b": torch.FromSlice([]bool{true}, 1), "": values(1)}, map[string]string{"k": "v"}))
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"b":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}}`, 1, 2, 3, 4, 5, 6, 7, 8, 9))
	f.Fuzz(func(t *testing.T, content []byte) {
		// Reading, writing and reading again gives the same tensors, without panic or much memory, when a file can be read.
		var s *safetensors.File
		var err error
		if got, most := torchtest.Allocated(func() { s, err = safetensors.Read(content) }), torchtest.Allowance(content)+1<<20; got > most {
			t.Errorf("%d bytes allocated for %d", got, len(content))
		}
		if err != nil {
			return
		}
		torchtest.Scope(t)
		sd, err := s.LoadAll()
		if err != nil {
			return // a boolean that is none
		}
		again, err := safetensors.Read(encoded(t, sd, s.Metadata()))
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := again.LoadAll()
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(again.Metadata(), s.Metadata()) || !slices.Equal(again.Names(), s.Names()) {
			t.Fatalf("%q, %q became %q, %q", s.Names(), s.Metadata(), again.Names(), again.Metadata())
		}
		for name, want := range sd {
			got := loaded[name]
			if got.Dtype() != want.Dtype() || !slices.Equal(got.Shape(), want.Shape()) || !bytes.Equal(got.Raw(), want.Raw()) {
				t.Errorf("%q: %v became %v", name, want, got)
			}
		}
	})
}

func TestLongMessages(t *testing.T) {
	// The error of a file says what is wrong, in 300 characters, when the file's own texts are long.
	long := strings.Repeat("名", 100_000)
	for _, test := range []struct{ name, header, want string }{
		{"a tensor's name", `{"` + long + `":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}`, "bytes 0 to 9 of 0"},
		{"a type", `{"a":{"dtype":"` + long + `","shape":[9],"data_offsets":[0,9]}}`, `"BOOL"]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := safetensors.Read(file(test.header))
			text := fmt.Sprint(err)
			if n := utf8.RuneCountInString(text); n > 300 || !utf8.ValidString(text) || !strings.HasSuffix(text, test.want) {
				t.Errorf("%d characters: %s", n, text)
			}
		})
	}
}
