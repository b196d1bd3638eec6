package corpus

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/data/fingerprint"
)

// writeText puts the splits of a text into a new folder.
func writeText(t *testing.T, train, valid, test string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i, content := range []string{train, valid, test} {
		if err := os.WriteFile(filepath.Join(dir, splitFiles[i]), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCorpus(t *testing.T) {
	// Every line ends in <eos>, words are numbered in order of appearance in train, valid and test, and Tokens limits each split.
	dir := writeText(t, "the cat\n\n the\tdog \n", "a cat\r\n", "the bird")
	for _, test := range []struct {
		name   string
		tokens int
		want   Corpus
	}{
		{"all", 0, Corpus{
			Words: []string{"the", "cat", "<eos>", "dog", "a", "bird"},
			Train: []int32{0, 1, 2, 2, 0, 3, 2}, Valid: []int32{4, 1, 2}, Test: []int32{0, 5, 2}, Unknown: 2,
		}},
		{"the first two", 2, Corpus{
			Words: []string{"the", "cat", "a", "bird"},
			Train: []int32{0, 1}, Valid: []int32{2, 1}, Test: []int32{0, 3}, Unknown: 2,
		}},
		{"more than valid has", 4, Corpus{
			Words: []string{"the", "cat", "<eos>", "a", "bird"},
			Train: []int32{0, 1, 2, 2}, Valid: []int32{3, 1, 2}, Test: []int32{0, 4, 2}, Unknown: 2,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Options{Name: "text", Root: dir, Tokens: test.tokens}.Open()
			if err != nil {
				t.Fatal(err)
			}
			test.want.Name = "text"
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCorpusErrors(t *testing.T) {
	// The error names the text, the file and what is wrong when a text cannot be read.
	missing := writeText(t, "a b\n", "a\n", "b\n")
	if err := os.Remove(filepath.Join(missing, "valid.txt")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, text, root, want string
	}{
		{"missing file", "text", missing, "data: text: ROOT/valid.txt: file does not exist; want train.txt, valid.txt and test.txt there"},
		{"missing text", "ptb", missing, "data: ptb: ROOT/ptb/ptb.train.txt: file does not exist; `darts data get ptb` says what is wanted"},
		{"empty file", "text", writeText(t, "a b\n", "", "b\n"), "data: text: ROOT/valid.txt: empty, want text"},
		{"white space", "text", writeText(t, " \n\t\n", "a", "b\n"), "data: text: ROOT/train.txt: empty, want text"},
		{"not UTF-8", "text", writeText(t, "a b\n", "a\nb\n", "b\nc\xff\n"), "data: text: ROOT/test.txt:2: not UTF-8 text: byte 0xff"},
		{"unknown", "wikitext", missing, `data: wikitext: unknown text, nearest is "wikitext2" (known: ptb, wikitext2, text, synthetic-text)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Options{Name: test.text, Root: test.root}.Open()
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), test.root, "ROOT"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestPublishedTexts(t *testing.T) {
	// Penn Treebank and WikiText-2 have the published numbers of words and tokens.
	if os.Getenv("GODARTS_DATA") == "" {
		t.Skip("GODARTS_DATA names no folder")
	}
	for name, want := range map[string][4]int{
		"ptb":       {10_000, 929_589, 73_760, 82_430},
		"wikitext2": {33_278, 2_088_628, 217_646, 245_569},
	} {
		c, err := Options{Name: name}.Open()
		if err != nil {
			t.Fatal(err)
		}
		got := [4]int{len(c.Words), len(c.Train), len(c.Valid), len(c.Test)}
		if text, _ := Find(name); got != want || text.Words != want[0] {
			t.Errorf("%s: words, train, valid and test are %d, want %+v", name, got, want)
		}
		if c.Unknown != 0 {
			t.Errorf("%s: %d words are not in train", name, c.Unknown)
		}
	}
}

func TestSyntheticText(t *testing.T) {
	// The built-in text has a small dictionary, and train has all its words.
	c, err := Options{Name: "synthetic-text"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Words) > 40 || c.Unknown != 0 || len(c.Train) < 10_000 || len(c.Valid) < 1500 {
		t.Errorf("%d words, %d unknown, %d and %d tokens", len(c.Words), c.Unknown, len(c.Train), len(c.Valid))
	}
}

func TestColumns(t *testing.T) {
	// Chunks are rows of contiguous columns with the next rows as targets, and shorter at the end.
	tokens := []int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	c := NewColumns(tokens, 2)
	if c.Rows != 5 {
		t.Fatalf("%d rows, want 5", c.Rows)
	}
	for _, test := range []struct {
		from, n int
		x, y    []int64
	}{
		{0, 2, []int64{0, 5, 1, 6}, []int64{1, 6, 2, 7}},
		{3, 2, []int64{3, 8}, []int64{4, 9}},
		{2, 35, []int64{2, 7, 3, 8}, []int64{3, 8, 4, 9}},
	} {
		x, y := c.Chunk(test.from, test.n)
		if !slices.Equal(x, test.x) || !slices.Equal(y, test.y) {
			t.Errorf("chunk %d of %d: %v and %v, want %v and %v", test.from, test.n, x, y, test.x, test.y)
		}
	}
}

func TestUnigramLoss(t *testing.T) {
	// The loss adds one to each count, also for a word that training never saw.
	c := &Corpus{Words: []string{"a", "b", "c"}, Train: []int32{0, 0, 0, 1}}
	got := c.UnigramLoss(NewColumns([]int32{1, 0, 2}, 1))
	want := -(math.Log(4./7) + math.Log(1./7)) / 2
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzCorpus(f *testing.F) {
	for _, seed := range []string{"", "a b\nc\n", "\n\n", " a\u2028b\r\n", "\xff", "a\n\xc3", "<eos> <unk>"} {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, content []byte, limit int) {
		// Tokens stand for the words of every line of any text, up to the limit.
		limit = max(limit, 0)
		var c Corpus
		tokens, err := c.tokens(content, limit, map[string]int32{})
		if err != nil {
			return
		}
		var want []string
		for line := range strings.Lines(string(content)) {
			want = append(append(want, strings.Fields(line)...), endOfSentence)
		}
		if limit > 0 {
			want = want[:min(limit, len(want))]
		}
		var got []string
		for _, token := range tokens {
			got = append(got, c.Words[token])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
func TestPipeIsNoText(t *testing.T) {
	// The error names the file when there is a pipe or a folder in place of a text.
	root := t.TempDir()
	file := filepath.Join(root, "train.txt")
	for what, put := range map[string]func() error{
		"a pipe":   func() error { return syscall.Mkfifo(file, 0o644) },
		"a folder": func() error { return os.Mkdir(file, 0o755) },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		_, err := Options{Name: "text", Root: root}.Open()
		if want := "data: text: " + file + ": it is " + what + ", want a file"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFingerprintOfText(t *testing.T) {
	// Changes names the split whose tokens have changed; other white space is no change.
	write := func(train string) fingerprint.Fingerprint {
		root := t.TempDir()
		for name, text := range map[string]string{"train.txt": train, "valid.txt": "a b\n", "test.txt": "b a\n"} {
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c, err := Options{Name: "text", Root: root}.Open()
		if err != nil {
			t.Fatal(err)
		}
		return c.Fingerprint()
	}
	before := write("a b c\nd e\n")
	got := map[string]string{}
	for _, train := range []string{"a  b c\nd e", "a b c\n", "a b c\nd f\n"} {
		got[train] = before.Changes(write(train))
	}
	want := map[string]string{"a  b c\nd e": "", "a b c\n": "train.txt: 4 tokens, was 7", "a b c\nd f\n": "train.txt: the same number of tokens, but other words"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
