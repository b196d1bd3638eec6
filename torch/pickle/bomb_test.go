package pickle_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"godarts/torch/pickle"
	"godarts/torch/torchtest"
)

// remembered pushes a value once, and leaves it in the memo alone.
func remembered(index byte, value string) string { return value + "q" + string([]byte{index}) + "0" }

// again pushes what is in the memo.
func again(index byte) string { return "h" + string([]byte{index}) }

func TestBombs(t *testing.T) {
	// A file is refused, with work and memory of its own size, when it names one value so often that it unfolds to much more.
	const many = 12_000
	dict := "ccollections\nOrderedDict\n"
	pairs := remembered(1, word("k")+"N\x86") + remembered(2, "]("+strings.Repeat(again(1), many)+"e") + remembered(3, again(2)+"\x85") + remembered(4, dict)
	parts := remembered(1, "ctorch._utils\n_rebuild_tensor_v2\n") + remembered(3, dict+")R")
	sizes := remembered(2, storage("FloatStorage", 2)) + remembered(4, "("+strings.Repeat(number(1), 64)+"t")
	whole := "(" + word("storage") + "ctorch\nFloatStorage\n" + word("0") + word("cpu") + "J" + string(binary.LittleEndian.AppendUint32(nil, many)) + "tQ"
	shape := remembered(4, "J"+string(binary.LittleEndian.AppendUint32(nil, many))+"\x85") + remembered(5, number(1)+"\x85")
	tensor := func(sizes, strides byte) string {
		return again(1) + "(" + again(2) + number(0) + again(sizes) + again(strides) + "\x89" + again(3) + "tR"
	}
	const repeats = "refused: it repeats its values until they are many times as long as the file"
	zeros := strings.Repeat("\x00", 4*many)
	for _, test := range []struct{ name, program, storage, want string }{
		{"dicts of one list", "\x80\x02" + pairs + "](" + strings.Repeat(again(4)+again(3)+"R", 100) + "e.", pairData, repeats},
		{"tensors of one long shape", "\x80\x02" + parts + sizes + "](" + strings.Repeat(tensor(4, 4), 2000) + "e.", pairData, repeats},
		{"tensors of one storage", "\x80\x02" + parts + remembered(2, whole) + shape + "](" + strings.Repeat(tensor(4, 5), 100) + "e.", zeros,
			"refused: its tensors take more than 16 times the file's bytes: they repeat one storage"},
		{"a message of one text", "\x80\x02" + remembered(1, word(strings.Repeat("k", many))) + "ctorch._utils\n_rebuild_tensor_v2\n(" + storage("FloatStorage", 2) +
			"](" + strings.Repeat(again(1), many) + "e))NNtR.", pairData, "a tensor from element *pickle.list on"},
	} {
		t.Run(test.name, func(t *testing.T) {
			content := zipPickle(t, test.program, map[string]string{"0": test.storage})
			var err error
			// Values take more memory than their bytes in the file, and twice of it where a stack grows.
			if got, most := torchtest.Allocated(func() { _, err = pickle.Read(content) }), 2*torchtest.Allowance(content); got > most {
				t.Errorf("%d bytes allocated for a file of %d", got, len(content))
			}
			if !strings.HasSuffix(fmt.Sprint(err), test.want) {
				t.Errorf("got %v, want ... %s", err, test.want)
			}
		})
	}
}

func TestShares(t *testing.T) {
	// Tensors that share a storage are read when there are no more of them than a network has.
	content := zipPickle(t, "\x80\x02}"+word("encoder")+pair+"s"+word("decoder")+pair+"s"+word("average")+pair+"s.", map[string]string{"0": pairData})
	if p, err := pickle.Read(content); err != nil || len(p.Names()) != 3 {
		t.Errorf("%v, %v", p, err)
	}
}

func TestLongMessages(t *testing.T) {
	// The error of a file says what is wrong, in 300 characters, when the file's own texts are long.
	long := strings.Repeat("名", 100_000)
	for _, test := range []struct {
		name, want string
		read       func() error
	}{
		{"a number in a pickle", "invalid syntax", func() error {
			_, err := pickle.Read(zipPickle(t, "I"+long+"\n.", nil))
			return err
		}},
		{"a storage's key", "has 0 bytes, wanted 8", func() error {
			program := strings.Replace(inDict(pair), word("0"), word(long[:30_000]), 1)
			_, err := pickle.Read(zipPickle(t, program, map[string]string{long[:30_000]: ""}))
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := fmt.Sprint(test.read())
			if n := utf8.RuneCountInString(text); n > 300 || !utf8.ValidString(text) || !strings.HasSuffix(text, test.want) {
				t.Errorf("%d characters: %s", n, text)
			}
		})
	}
}
