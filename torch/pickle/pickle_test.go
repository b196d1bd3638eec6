package pickle_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/pickle"
	"godarts/torch/torchtest"
)

// zipPickle is an archive as torch.save writes it, around a pickle and storages.
func zipPickle(t testing.TB, program string, storages map[string]string) []byte {
	t.Helper()
	files := map[string]string{"x/data.pkl": program, "x/byteorder": "little", "x/version": "3\n"}
	for key, data := range storages {
		files["x/data/"+key] = data
	}
	return archive(t, files, zip.Store)
}

func archive(t testing.TB, files map[string]string, method uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// legacyHead is what a file before PyTorch 1.6 begins with.
const legacyHead = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + "\x80\x02M\xe9\x03." +
	"\x80\x02}(X\x0d\x00\x00\x00little_endian\x88u."

// legacyPickle is such a file, around a pickle and one storage, "0".
func legacyPickle(program string, elements int, data string) []byte {
	content := legacyHead + program + "\x80\x02](X\x01\x00\x00\x000e."
	return append(binary.LittleEndian.AppendUint64([]byte(content), uint64(elements)), data...)
}

// word pushes a text, number a whole number below 256.
func word(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}
func number(n byte) string { return "K" + string([]byte{n}) }

// storage refers to the storage "0" of that class with that many elements.
func storage(class string, elements byte) string {
	return "(" + word("storage") + "ctorch\n" + class + "\n" + word("0") + word("cpu") + number(elements) + "tQ"
}

// rebuilt is a tensor over a storage, with sizes and strides as they are pushed.
func rebuilt(storage, offset, sizes, strides string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + "(" + sizes + "t(" + strides + "t\x89ccollections\nOrderedDict\n)RtR"
}

// inDict is a program that gives {"a": value}.
func inDict(value string) string { return "\x80\x02}" + word("a") + value + "s." }

// pair is a tensor of two float32, 1 and 2, stored as pairData.
var pair = rebuilt(storage("FloatStorage", 2), number(0), number(2), number(1))

const pairData = "\x00\x00\x80\x3f\x00\x00\x00\x40"

func TestOfPyTorch(t *testing.T) {
	// Both forms give every tensor with its type, shape and elements when PyTorch wrote them.
	for _, form := range []string{"zip", "legacy"} {
		t.Run(form, func(t *testing.T) {
			torchtest.Scope(t)
			p, err := pickle.Open(filepath.Join("testdata", "pickle_"+form+".pt"))
			if err != nil {
				t.Fatal(err)
			}
			sd, err := p.LoadAll()
			if err != nil {
				t.Fatal(err)
			}
			whole := func(n int, d torch.Dtype) torch.Tensor {
				return torch.Arange(0, float64(n), 1, torch.Options{Dtype: torch.Float64}).ToDtype(d)
			}
			const s = "state_dict."
			want := torch.StateDict{
				s + "type.bool":  torch.FromSlice([]bool{false, true, false, true, false, true, false, true, false, true, false, true}, 12),
				s + "part":       whole(10, torch.Float32).Narrow(0, 4, 6).Reshape(2, 3),
				s + "transposed": whole(24, torch.Float32).Reshape(4, 6).T(),
				s + "images":     whole(24, torch.Float32).Reshape(1, 2, 3, 4),
				s + "scalar":     torch.FromSlice([]int64{3}),
				s + "empty":      torch.Zeros([]int{0, 2}, torch.Options{}),
				s + "parameter":  whole(3, torch.Float32),

				"optimizer.state.0.momentum_buffer": torch.Ones([]int{2}, torch.Options{}),
			}
			for d := torch.Float32; d <= torch.Int64; d++ {
				want[s+"type."+d.String()] = whole(12, d).Reshape(3, 4)
			}
			if len(p.Names()) != len(want) {
				t.Errorf("names %q, want %d", p.Names(), len(want))
			}
			for name, w := range want {
				got, ok := sd[name]
				if !ok {
					t.Errorf("no %s", name)
					continue
				}
				d, shape, err := p.Info(name)
				if err != nil || d != w.Dtype() || !slices.Equal(shape, w.Shape()) {
					t.Errorf("%s: %v %v, %v, want %v %v", name, d, shape, err, w.Dtype(), w.Shape())
				}
				if !slices.Equal(got.Shape(), w.Shape()) || !bytes.Equal(got.Raw(), w.Raw()) {
					t.Errorf("%s: got %v, want %v", name, got, w)
				}
			}
			double, err := p.Load(s+"type.float16", torch.Options{Dtype: torch.Float64})
			if err != nil || double.Dtype() != torch.Float64 || double.Float64s()[11] != 11 {
				t.Errorf("as float64: %v, %v", double, err)
			}
		})
	}
}

func TestForms(t *testing.T) {
	// What older versions wrote, and rarer instructions, give the same tensor.
	old := "ctorch._utils\n_rebuild_tensor\n(" + storage("FloatStorage", 2) + number(0) + "(" + number(2) + "t(" + number(1) + "ttR"
	part := "(" + word("storage") + "ctorch\nFloatStorage\n" + word("0") + word("cuda:0") + number(2) + "(" + word("v") + number(1) + number(1) + "ttQ"
	for _, test := range []struct {
		name, program string
		want          []float64
	}{
		{"today", inDict(pair), []float64{1, 2}},
		{"PyTorch 0.3", inDict(old), []float64{1, 2}},
		{"a part of a storage", inDict(rebuilt(part, number(0), number(1), number(1))), []float64{2}},
		{"a parameter", inDict("ctorch._utils\n_rebuild_parameter\n(" + pair + "\x88N" + "tR"), []float64{1, 2}},
		{"Python 2", "ccollections\nOrderedDict\n(](](U\x01a" + pair + "eetR.", []float64{1, 2}},
		{"protocol 4", "\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a" + pair + "s.", []float64{1, 2}},
		{"sizes of torch.Size", inDict("ctorch._utils\n_rebuild_tensor_v2\n(" + storage("FloatStorage", 2) + number(0) +
			"ctorch\nSize\n(" + number(2) + "\x85tR" + "(" + number(1) + "t\x89NtR"), []float64{1, 2}},
		{"memo", "\x80\x02}q\x00" + word("a") + "r\x00\x01\x00\x00" + pair + "p9\nsh\x000j\x00\x01\x00\x000g9\n0.", []float64{1, 2}},
		{"a list below a name", "\x80\x02}" + word("a") + "]" + pair + "as.", []float64{1, 2}},
		{"an item that is the list itself", "\x80\x02}" + word("a") + "]q\x00h\x00a" + pair + "as.", []float64{1, 2}},
	} {
		for form, content := range map[string][]byte{
			"zip":    zipPickle(t, test.program, map[string]string{"0": pairData}),
			"legacy": legacyPickle(test.program, 2, pairData),
		} {
			t.Run(test.name+"/"+form, func(t *testing.T) {
				torchtest.Scope(t)
				p, err := pickle.Read(content)
				if err != nil {
					t.Fatal(err)
				}
				names := p.Names()
				if len(names) != 1 || !strings.HasPrefix(names[0], "a") {
					t.Fatalf("names %q", names)
				}
				got, err := p.Load(names[0], torch.Options{})
				if err != nil || !slices.Equal(got.Float64s(), test.want) {
					t.Errorf("got %v, %v, want %v", got, err, test.want)
				}
			})
		}
	}
}

func TestHostile(t *testing.T) {
	// A pickle that wants to call what no file of tensors needs is refused with the name of that, in both forms.
	for _, test := range []struct{ name, program, want string }{
		{"os.system", "\x80\x02cos\nsystem\n" + word("id") + "\x85R.", "os.system"},
		{"posix.system", "cposix\nsystem\n(" + word("id") + "tR.", "posix.system"},
		{"protocol 4", "\x80\x04" + word("builtins") + word("eval") + "\x93" + word("1") + "\x85R.", "builtins.eval"},
		{"instance", "(" + word("id") + "ios\nsystem\n.", "os.system"},
		{"instance of what may be called", "(icollections\nOrderedDict\n.", "collections.OrderedDict"},
		{"after a tensor", inDict(pair + "0csubprocess\nPopen\n)R"), "subprocess.Popen"},
		{"never called", inDict("cbuiltins\nexec\n"), "builtins.exec"},
		{"a function of torch", inDict("ctorch\nload\n" + word("x") + "\x85R"), "torch.load"},
		{"a name within a known one", inDict("ctorch._utils\n_rebuild_tensor_v2.__globals__\n"), "torch._utils._rebuild_tensor_v2.__globals__"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for form, content := range map[string][]byte{
				"zip":            zipPickle(t, test.program, map[string]string{"0": pairData}),
				"legacy":         legacyPickle(test.program, 2, pairData),
				"in the magic":   []byte(test.program),
				"in the machine": []byte(legacyHead[:21] + test.program),
			} {
				_, err := pickle.Read(content)
				if want := fmt.Sprintf("refused: it wants %q, which no file of tensors needs", test.want); err == nil || !strings.HasSuffix(err.Error(), want) {
					t.Errorf("%s: %v, want %s", form, err, want)
				}
			}
		})
	}
}

func TestDamaged(t *testing.T) {
	// The error says what is wrong, and takes no memory to say so, when sizes lie or parts are missing.
	zipped := func(program string) []byte { return zipPickle(t, program, map[string]string{"0": pairData}) }
	tensor := func(offset, sizes, strides string) []byte {
		return zipped(inDict(rebuilt(storage("FloatStorage", 2), offset, sizes, strides)))
	}
	huge := "\x8a\x06\x00\x00\x00\x00\x00\x01" // 2^40
	deep := strings.Repeat("]", 10_000) + strings.Repeat("a", 9_999)
	long := word(strings.Repeat("k", 60_000))
	var many strings.Builder
	for i := range 2000 {
		many.WriteString("M" + string([]byte{byte(i), byte(i >> 8)}) + "h\x09")
	}
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"nothing", nil, "no file of torch.save: neither a zip archive nor its magic number"},
		{"another file", []byte("\x80\x02K\x01."), "no file of torch.save: neither a zip archive nor its magic number"},
		{"a cut archive", zipped(inDict(pair))[:200], "zip: not a valid zip file"},
		{"another archive", archive(t, map[string]string{"a/b.txt": ""}, zip.Store), "zip: there is no data.pkl: torch.save did not write it"},
		{"a compressed one", archive(t, map[string]string{"x/data.pkl": inDict(pair)}, zip.Deflate), "zip: data.pkl is compressed, which torch.save does not do"},
		{"big-endian", archive(t, map[string]string{"x/data.pkl": "N.", "x/byteorder": "big"}, zip.Store), `zip: byte order "big", only little can be read`},
		{"a storage that is not there", zipPickle(t, inDict(pair), nil), "zip: there is no data/0"},
		{"a short storage", zipPickle(t, inDict(pair), map[string]string{"0": pairData[:7]}), `storage "0" of 2 float32 has 7 bytes, wanted 8`},
		{"a short legacy storage", legacyPickle(inDict(pair), 2, pairData[:7]), `storage "0" of 2 float32 has 7 bytes, wanted 8`},
		{"another legacy size", legacyPickle(inDict(pair), 3, pairData), `storage "0" has 3 elements, its tensors say 2`},
		{"an unknown legacy storage", legacyPickle("}.", 2, pairData), `elements of storage "0", which no tensor has`},
		{"no legacy storage", []byte(legacyHead + inDict(pair) + "]."), `storage "0" has no elements`},
		{"a cut legacy file", []byte(legacyHead + inDict(pair))[:80], "offset 55: the file ends in the middle of a pickle"},
		{"another legacy version", []byte(strings.Replace(legacyHead, "M\xe9\x03", "M\xea\x03", 1)), "version 1002 of torch.save's form, known is 1001"},
		{"legacy big-endian", []byte(strings.Replace(legacyHead, "\x88u.", "\x89u.", 1)), "a machine of the other byte order wrote it"},

		{"more elements than stored", tensor(number(0), number(3), number(1)), `tensor "a": shape [3] of float32 takes 12 bytes, its storage has 8`},
		{"elements repeated without end", tensor(number(0), huge, number(0)), `tensor "a": shape [1099511627776] of float32 takes 4398046511104 bytes, its storage has 8`},
		{"a size beyond int64", tensor(number(0), huge+huge, number(1)+number(1)), `tensor "a": shape [1099511627776, 1099511627776] is too large`},
		{"strides out of the storage", tensor(number(0), number(2), number(2)), `tensor "a": shape [2] with strides [2] from element 0 on leaves its storage of 2 elements`},
		{"huge strides", tensor(number(0), number(2), huge), `tensor "a": shape [2] with strides [1099511627776] from element 0 on leaves its storage of 2 elements`},
		{"an offset out of the storage", tensor(number(2), "", ""), `tensor "a": element 2 of a storage of 2`},
		{"a negative size", tensor(number(0), "J\xff\xff\xff\xff", number(1)), "data.pkl: offset 136: -1 as a size of a tensor"},
		{"one stride for two sizes", tensor(number(0), number(1)+number(1), number(1)), "data.pkl: offset 135: a tensor of 2 dimensions with 1 strides"},
		{"a size that is a text", tensor(number(0), word("2"), number(1)), "data.pkl: offset 137: 2 as a size of a tensor"},
		{"a storage of two types", zipped("\x80\x02}" + word("a") + pair + "s" + word("b") + rebuilt(storage("IntStorage", 2), number(0), number(2), number(1)) + "s."),
			`data.pkl: offset 223: storage "0" is one of 2 float32 and one of 2 int32`},
		{"two tensors of one name", zipped("\x80\x02}" + word("a") + pair + "s" + word("a") + pair + "s."), `tensor "a" appears twice`},
		{"a tensor alone", zipped(pair + "."), "holds a single tensor, no dict of them"},
		{"nested deeply", zipped(deep + "."), `"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0": nested more than 32 deep`},
		{"long names", zipped("\x80\x02" + pair + "q\x090}" + long + "}(" + many.String() + "us."), "its names are longer than the file"},
		{"a text longer than the file", zipped("X\xff\xff\xff\x7fabc"), "data.pkl: offset 0: a text of 2147483647 bytes, of which the file has 3"},
		{"a text longer than memory", zipped("\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc"), "data.pkl: offset 0: a text of 18446744073709551615 bytes, of which the file has 3"},
		{"a number longer than numbers are", zipped("\x8b\xff\xff\xff\x7f"), "data.pkl: offset 0: a number of 2147483647 bytes, more than 255"},
		{"an empty stack", zipped("0."), "data.pkl: offset 0: the stack is empty"},
		{"nothing built", zipped("."), "data.pkl: offset 0: the stack is empty"},
		{"only a mark", zipped("(."), "data.pkl: offset 1: a mark where a value is expected"},
		{"no mark", zipped("Nt."), "data.pkl: offset 1: no mark on the stack"},
		{"a key without value", zipped("}(Nu."), "data.pkl: offset 3: a key without a value"},
		{"items for a number", zipped(number(1) + "Na."), "data.pkl: offset 3: items for int64, which is no list or dict"},
		{"attributes for a list", zipped("]Nb."), "data.pkl: offset 2: attributes for *pickle.list, which is no dict"},
		{"a call of a class", zipped("ctorch\nFloatStorage\n)R."), "data.pkl: offset 21: a call of torch.FloatStorage with 0 arguments"},
		{"a call of a number", zipped(number(1) + ")R."), "data.pkl: offset 3: a call of int64 with *pickle.tuple"},
		{"nothing remembered", zipped("h\x05."), "data.pkl: offset 0: nothing was remembered as 5"},
		{"an unknown instruction", zipped("\xff"), "data.pkl: offset 0: the instruction 0xff, which no file of tensors needs"},
		{"another protocol", zipped("\x80\x06"), "data.pkl: offset 0: pickle protocol 6, known are 0 to 5"},
		{"a reference to a number", zipped(number(1) + "Q."), "data.pkl: offset 2: a reference to what is no storage"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := pickle.Read(test.content)
			if want := "torch: pickle: " + test.want; fmt.Sprint(err) != want {
				t.Errorf("error\n got %v\nwant %s", err, want)
			}
			if got, most := torchtest.Allocated(func() { _, _ = pickle.Read(test.content) }), torchtest.Allowance(test.content); got > most {
				t.Errorf("%d bytes allocated, more than %d", got, most)
			}
		})
	}
}

func TestSameError(t *testing.T) {
	// The error names the first of the storages that are not there when there are several, each time.
	two := "\x80\x02}" + word("b") + strings.ReplaceAll(pair, word("0"), word("1")) + "s" + word("a") + pair + "s."
	for want, content := range map[string][]byte{
		`torch: pickle: zip: there is no data/0`:     zipPickle(t, two, nil),
		`torch: pickle: storage "0" has no elements`: []byte(legacyHead + two + "]."),
	} {
		for range 50 {
			if _, err := pickle.Read(content); fmt.Sprint(err) != want {
				t.Fatalf("got %v, want %s", err, want)
			}
		}
	}
}

func TestCut(t *testing.T) {
	// Every beginning of a file is an error, and no panic.
	for _, form := range []string{"zip", "legacy"} {
		content, err := os.ReadFile(filepath.Join("testdata", "pickle_"+form+".pt"))
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(content) {
			if _, err := pickle.Read(content[:n]); err == nil {
				t.Errorf("%s: no error for %d of %d bytes", form, n, len(content))
			}
		}
	}
}

func TestOpen(t *testing.T) {
	// The error names file and tensor when there is none.
	if _, err := pickle.Open("none.pt"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	path := filepath.Join("testdata", "pickle_zip.pt")
	p, err := pickle.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `torch: pickle: ` + path + `: tensor "state_dict.typ.bool": not in the file; the nearest of its 17 is "state_dict.type.bool"`
	if _, err := p.Load("state_dict.typ.bool", torch.Options{}); fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	bad, err := pickle.Read(zipPickle(t, inDict(rebuilt(storage("BoolStorage", 2), number(0), number(2), number(1))), map[string]string{"0": "\x01\x02"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.LoadAll(); fmt.Sprint(err) != `torch: pickle: tensor "a": element 1 is the byte 2, which is no boolean` {
		t.Errorf("a boolean of 2: %v", err)
	}
}

func FuzzPickle(f *testing.F) {
	for _, form := range []string{"zip", "legacy"} {
		content, err := os.ReadFile(filepath.Join("testdata", "pickle_"+form+".pt"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add(zipPickle(f, inDict(pair), map[string]string{"0": pairData}))
	f.Add(legacyPickle(inDict(pair), 2, pairData))
	f.Fuzz(func(t *testing.T, content []byte) {
		// Whatever the bytes are, there is no panic, and what can be read can be loaded.
		for _, file := range [][]byte{content, legacyPickle(string(content), 2, pairData)} {
			p, err := pickle.Read(file)
			if err != nil {
				continue
			}
			if err := torch.Do(func() error {
				for _, name := range p.Names() {
					if _, err := p.Load(name, torch.Options{}); err != nil && !strings.Contains(err.Error(), "no boolean") {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	})
}
