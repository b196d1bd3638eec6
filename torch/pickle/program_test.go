package pickle_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"godarts/torch"
	"godarts/torch/pickle"
	"godarts/torch/safetensors"
	"godarts/torch/torchtest"
)

// pickleProgram turns bytes into a program of pickle instructions that looks like one of
// torch.save: dicts, lists and tuples around tensors that share storages. Each byte is a
// choice. The highest choices are what no torch.save writes: sizes below zero or beyond
// int64, values in wrong places, any instruction at all. Where the bytes end, so does the program.
type pickleProgram struct {
	choices  []byte
	text     strings.Builder
	memo     int // values remembered so far
	storages [4]programStorage
}

// programStorage is what a program's tensors share.
type programStorage struct {
	class string // of torch, without "Storage"
	size  int    // bytes an element
	numel int
	data  string
	there bool
}

var programClasses = []programStorage{
	{class: "Float", size: 4}, {class: "Double", size: 8}, {class: "Half", size: 2}, {class: "BFloat16", size: 2}, {class: "Byte", size: 1},
	{class: "Char", size: 1}, {class: "Short", size: 2}, {class: "Int", size: 4}, {class: "Long", size: 8}, {class: "Bool", size: 1},
}

// programFile is the file of the program that choices make, in one of the two forms of torch.save.
func programFile(t testing.TB, choices []byte) []byte {
	p := &pickleProgram{choices: choices}
	legacy := p.pick(4) == 3
	for i := range p.storages {
		p.storages[i] = p.newStorage()
	}
	p.push("\x80\x02")
	p.dict(0)
	p.push(".")
	if legacy {
		return p.legacyFile()
	}
	stored := map[string]string{}
	for i, s := range p.storages {
		if s.there {
			stored[strconv.Itoa(i)] = s.data
		}
	}
	return zipPickle(t, p.text.String(), stored)
}

// legacyFile is the form before PyTorch 1.6.
func (p *pickleProgram) legacyFile() []byte {
	used := []int{}
	for i, s := range p.storages { // the file must have those that tensors name, and no other
		if s.there && strings.Contains(p.text.String(), "Storage\n"+word(strconv.Itoa(i))) {
			used = append(used, i)
		}
	}
	content := []byte(legacyHead + p.text.String() + "\x80\x02](")
	for _, i := range used {
		content = append(content, word(strconv.Itoa(i))...)
	}
	content = append(content, "e."...)
	for _, i := range used {
		content = binary.LittleEndian.AppendUint64(content, uint64(p.storages[i].numel))
		content = append(content, p.storages[i].data...)
	}
	return content
}

func (p *pickleProgram) push(s string) { p.text.WriteString(s) }

// next is the next choice; at the end they are all 0.
func (p *pickleProgram) next() byte {
	if len(p.choices) == 0 {
		return 0
	}
	c := p.choices[0]
	p.choices = p.choices[1:]
	return c
}

func (p *pickleProgram) pick(n int) int { return int(p.next()) % n }

// odd tells whether to do what torch.save would not.
func (p *pickleProgram) odd() bool { return p.next() >= 0xfc }

func (p *pickleProgram) newStorage() programStorage {
	s := programClasses[p.pick(len(programClasses))]
	s.numel = p.pick(40)
	data := make([]byte, s.numel*s.size)
	for i := range data {
		data[i] = byte(i*37 + 1)
		if s.class == "Bool" {
			data[i] &= 1
		}
	}
	if p.odd() && len(data) > 0 {
		data = data[:len(data)-1-p.pick(len(data))]
	}
	s.data, s.there = string(data), !p.odd()
	return s
}

// value pushes any value. One more than few deep is a number.
func (p *pickleProgram) value(depth int) {
	if depth > 5 || len(p.choices) == 0 {
		p.number(p.pick(8))
		return
	}
	switch p.pick(16) {
	case 0, 1, 2, 3, 4:
		p.tensor()
	case 5, 6:
		p.dict(depth + 1)
	case 7:
		p.list(depth + 1)
	case 8:
		p.tuple(depth + 1)
	case 9:
		p.name()
	case 10:
		p.push([]string{"N", "\x88", "\x89", "G\x3f\xf0\x00\x00\x00\x00\x00\x00", "F1.5\n", ")"}[p.pick(6)])
	case 11:
		p.global("torch._utils", "_rebuild_parameter")
		p.push("(")
		p.tensor()
		p.push("\x88N" + "tR")
	case 12, 13:
		p.remembered(depth)
	case 14:
		p.number(p.pick(256))
	case 15:
		p.strange(depth)
	}
	if p.pick(8) == 7 {
		p.remember()
	}
}

// remember writes the last value to the memo.
func (p *pickleProgram) remember() {
	index := byte(p.memo)
	p.push([]string{"q" + string([]byte{index}), "r" + string([]byte{index, 0, 0, 0}), fmt.Sprintf("p%d\n", index), "\x94"}[p.pick(4)])
	p.memo++
}

// remembered pushes a value of the memo, once or in a list of very many.
func (p *pickleProgram) remembered(depth int) {
	if p.memo == 0 && !p.odd() {
		p.value(depth + 1)
		p.remember()
	}
	index := byte(p.pick(max(p.memo, 1)))
	get := []string{"h" + string([]byte{index}), "j" + string([]byte{index, 0, 0, 0}), fmt.Sprintf("g%d\n", index)}[p.pick(3)]
	if p.odd() {
		get = "](" + strings.Repeat(get, 20*p.pick(256)) + "e"
	}
	p.push(get)
}

// dict pushes one, filled at once or entry by entry, with its attributes after it.
func (p *pickleProgram) dict(depth int) {
	if p.pick(2) == 0 {
		p.push("}")
	} else {
		p.global("collections", "OrderedDict")
		p.push(")R")
	}
	if p.pick(4) == 3 {
		p.remember() // before its entries: it may hold itself
	}
	entries, marked := p.pick(6), p.pick(2) == 0
	if marked {
		p.push("(")
	}
	for i := range entries {
		if p.odd() {
			p.value(depth + 1)
		} else {
			p.push(word(string(rune('a' + i))))
		}
		p.value(depth)
		if !marked {
			p.push("s")
		}
	}
	if marked {
		p.push("u")
	}
	if p.pick(8) == 7 {
		p.push("}" + word("_metadata"))
		p.value(depth + 1)
		p.push("sb")
	}
}

func (p *pickleProgram) list(depth int) {
	if p.pick(2) == 0 {
		p.push("](")
		p.values(depth)
		p.push("e")
		return
	}
	p.push("(")
	p.values(depth)
	p.push("l")
}

func (p *pickleProgram) tuple(depth int) {
	if n := p.pick(4); n > 0 {
		for range n {
			p.value(depth)
		}
		p.push(string([]byte{0x84 + byte(n)}))
		return
	}
	p.push("(")
	p.values(depth)
	p.push("t")
}

func (p *pickleProgram) values(depth int) {
	for range p.pick(4) {
		p.value(depth)
	}
}

// name pushes a text in one of the forms that texts have.
func (p *pickleProgram) name() {
	text := []string{"", "a", "stem.0.weight", "0", "é", "\x00", "\xff"}[p.pick(7)]
	short := string([]byte{byte(len(text))}) + text
	p.push([]string{word(text), "U" + short, "\x8c" + short, "\x8d" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))) + text}[p.pick(4)])
}

// number pushes n in one of the forms that numbers have, or one that is no size.
func (p *pickleProgram) number(n int) {
	if p.odd() {
		p.push([]string{
			"J\xff\xff\xff\xff", "I-5\n", "L-9223372036854775808L\n", "\x8a\x06\x00\x00\x00\x00\x00\x01", "\x8a\x07\x00\x00\x00\x00\x00\x00\x01",
			"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01", "\x8a\x00", "\x88", "N", word("2"), ")",
		}[p.pick(12)])
		return
	}
	four := string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	p.push([]string{
		"K" + four[:1], "M" + four[:2], "J" + four, fmt.Sprintf("I%d\n", n), fmt.Sprintf("L%dL\n", n), "\x8a\x02" + four[:2],
	}[p.pick(6)])
}

func (p *pickleProgram) global(module, name string) {
	if p.pick(2) == 0 {
		p.push("c" + module + "\n" + name + "\n")
		return
	}
	p.push(word(module) + word(name) + "\x93")
}

// tensor pushes a tensor over one of the storages: all of it, transposed, a part, or with
// sizes and strides that may leave it.
func (p *pickleProgram) tensor() {
	key := p.pick(len(p.storages))
	numel := p.storages[key].numel
	shape, strides, offset := p.view(numel)
	old := p.pick(8) == 7
	if old {
		p.global("torch._utils", "_rebuild_tensor")
	} else {
		p.global("torch._utils", "_rebuild_tensor_v2")
	}
	p.push("(")
	p.storage(key)
	p.number(offset)
	p.sizes(shape)
	p.sizes(strides)
	if !old {
		p.push("\x89" + "ccollections\nOrderedDict\n)R")
	}
	p.push("tR")
}

// view is sizes, strides and offset of a tensor over numel elements.
func (p *pickleProgram) view(numel int) (shape, strides []int, offset int) {
	rest := numel
	for range p.pick(4) { // sizes that numel is no less than the product of
		n := p.pick(5)
		if n > rest {
			n = rest
		}
		if n > 0 {
			rest /= n
		}
		shape = append(shape, n)
	}
	strides = make([]int, len(shape))
	stride := 1
	for d := len(shape) - 1; d >= 0; d-- {
		strides[d] = stride
		stride *= max(shape[d], 1)
	}
	if numel == 0 && len(shape) == 0 {
		shape, strides = []int{0}, []int{1}
	}
	switch p.pick(4) {
	case 1:
		slices.Reverse(shape)
		slices.Reverse(strides)
	case 2:
		offset = p.pick(max(numel-stride, 0) + 1)
	case 3:
		for d := range strides {
			strides[d] = p.pick(4)
		}
		if p.odd() {
			strides = append(strides, make([]int, p.pick(70))...)
			shape = append(shape, strides[len(shape):]...)
		}
	}
	return shape, strides, offset
}

// sizes pushes a tuple of numbers, of torch.Size at times.
func (p *pickleProgram) sizes(sizes []int) {
	asSize := p.pick(4) == 3
	if asSize {
		p.global("torch", "Size")
		p.push("(")
	}
	p.push("(")
	for _, n := range sizes {
		p.number(n)
	}
	p.push("t")
	if asSize {
		p.push("tR")
	}
}

// storage pushes a reference to a storage, or to a part of it as PyTorch before 0.4 wrote it.
func (p *pickleProgram) storage(key int) {
	s := p.storages[key]
	p.push("(" + word("storage"))
	if p.odd() {
		p.global("torch", programClasses[p.pick(len(programClasses))].class+"Storage")
	} else {
		p.push("ctorch\n" + s.class + "Storage\n")
	}
	p.push(word(strconv.Itoa(key)) + word("cpu"))
	p.number(s.numel)
	switch p.pick(8) {
	case 6:
		p.push("N")
	case 7:
		p.push("(" + word("v"))
		p.number(0)
		p.number(s.numel)
		p.push("t")
	}
	p.push("tQ")
}

// strange pushes what is no value of torch.save, or takes values away.
func (p *pickleProgram) strange(depth int) {
	switch p.pick(8) {
	case 0: // pairs, as Python 2 wrote dicts
		p.global("collections", "OrderedDict")
		p.push("(](")
		for i := range p.pick(4) {
			p.push("](" + word(string(rune('a'+i))))
			p.value(depth + 1)
			p.push("e")
		}
		p.push("etR")
	case 1:
		p.value(depth + 1)
		p.push("0")
		p.value(depth + 1)
	case 2:
		p.push("(")
		p.values(depth + 1)
		p.push("1")
		p.value(depth + 1)
	case 3:
		p.value(depth + 1)
		p.push("2" + "\x86") // a pair of the same
	case 4: // a call of anything with anything
		p.global("torch._utils", "_rebuild_tensor_v2")
		p.tuple(depth + 1)
		p.push("R")
	case 5:
		p.value(depth + 1)
		p.push("Q")
	case 6:
		p.push("\x95" + strings.Repeat("\xff", 8))
		p.value(depth + 1)
	case 7:
		p.push(string([]byte{p.next()}))
	}
}

// content is what a file of tensors gives: names, types, shapes and elements.
type programContent map[string]string

// readProgram reads a file and loads its tensors. Both may fail.
func readProgram(t *testing.T, file []byte) (torch.StateDict, error) {
	var p *pickle.File
	var err error
	// Values take more memory than their bytes in the file, and twice of it where a stack grows.
	if got, most := torchtest.Allocated(func() { p, err = pickle.Read(file) }), 2*torchtest.Allowance(file)+1<<20; got > most {
		t.Errorf("%d bytes allocated for a file of %d", got, len(file))
	}
	if err != nil {
		return nil, err
	}
	const perByte, base = 16, 1 << 16 // the budgets of names and elements
	names, elements := 0, 0
	var sd torch.StateDict
	if got, most := torchtest.Allocated(func() { sd, err = p.LoadAll() }), 8*uint64(perByte*len(file)+base)+1<<20; got > most {
		t.Errorf("%d bytes allocated for the tensors of a file of %d", got, len(file))
	}
	for name, x := range sd {
		names, elements = names+len(name), elements+x.Bytes()
	}
	if most := perByte*len(file) + base; names > most || elements > most {
		t.Errorf("%d bytes of names and %d of elements for a file of %d", names, elements, len(file))
	}
	return sd, err
}

// contentOf are the tensors of sd without their memory.
func contentOf(sd torch.StateDict) programContent {
	c := programContent{}
	for name, x := range sd {
		c[name] = fmt.Sprint(x.Dtype(), x.Shape()) + string(x.Raw())
	}
	return c
}

func FuzzPickleProgram(f *testing.F) {
	// Seeds are in testdata/fuzz/FuzzPickleProgram.
	f.Fuzz(func(t *testing.T, choices []byte) {
		// Whatever program a file is, reading is bounded by the file, gives the same twice, and what is read survives writing.
		torchtest.Scope(t)
		file := programFile(t, choices)
		sd, err := readProgram(t, file)
		again, errAgain := readProgram(t, file)
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || !maps.Equal(contentOf(sd), contentOf(again)) {
			t.Fatalf("%v and %v\n%v\n%v", err, errAgain, sd, again)
		}
		if n := len([]rune(fmt.Sprint(err))); n > 300 {
			t.Errorf("a message of %d characters: %v", n, err)
		}
		if err != nil {
			return
		}
		var written bytes.Buffer
		if err := safetensors.Write(&written, sd, nil); err != nil {
			for name := range sd {
				if !strings.Contains(err.Error(), "UTF-8") || strings.ToValidUTF8(name, "") == name {
					continue
				}
				return // a name that is no text
			}
			t.Fatal(err)
		}
		s, err := safetensors.Read(written.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		back, err := s.LoadAll()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := contentOf(back), contentOf(sd); !maps.Equal(got, want) {
			t.Errorf("%v became %v", sd, back)
		}
	})
}
