// Package corpus reads texts and cuts them into chunks.
package corpus

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"godarts/nas/data/fingerprint"
	"godarts/nas/names"
	"godarts/nas/wholefile"
)

// Corpus is a text in three splits, each a sequence of tokens.
type Corpus struct {
	Name               string
	Words              []string // the dictionary; a token is an index of it
	Train, Valid, Test []int32

	// Unknown counts the words that only valid and test have: training never sees them.
	Unknown int
}

// Options select a text.
type Options struct {
	Name   string // one of Names
	Root   string // folder of data sets, see [home.DataRoot]; of a text that NeedsRoot the folder of its files
	Tokens int    // take only the first tokens of each split; 0 takes all
}

// endOfSentence ends every line.
const endOfSentence = "<eos>"

// Open reads a text: train, valid and test, one sentence or paragraph a line.
// White space separates words, and every line, an empty one too, ends in the token
// "<eos>". The dictionary has the words in the order of their first appearance in train,
// then valid, then test. So a word that train does not have gets a number too.
// Reference rnn/data.py Corpus.
//
// A file that is missing, empty or not UTF-8 is an error that names the file and the line.
func (o Options) Open() (*Corpus, error) {
	c := &Corpus{Name: o.Name}
	fail := func(err error) error { return fmt.Errorf("data: %s: %w", o.Name, err) }
	contents, files, err := o.contents()
	if err != nil {
		return nil, fail(err)
	}
	number := map[string]int32{}
	for i, split := range []*[]int32{&c.Train, &c.Valid, &c.Test} {
		trained := len(c.Words)
		if *split, err = c.tokens(contents[i], o.Tokens, number); err != nil {
			return nil, fail(fmt.Errorf("%s%w", names.Escape(files[i]), err))
		}
		if i > 0 {
			c.Unknown += len(c.Words) - trained
		}
	}
	return c, nil
}

// contents reads the splits. It returns the names of their files too.
func (o Options) contents() (contents [3][]byte, files [3]string, err error) {
	t, ok := Find(o.Name)
	if !ok {
		known := Names()
		return contents, files, fmt.Errorf("unknown text, nearest is %q (known: %s)", names.Nearest(o.Name, known), strings.Join(known, ", "))
	}
	if t.Contents != nil {
		return t.Contents(), t.Files, nil
	}
	hint := fmt.Sprintf("want %s, %s and %s there", t.Files[0], t.Files[1], t.Files[2])
	if t.Wanted != "" {
		hint = fmt.Sprintf("`darts data get %s` says what is wanted", t.Name)
	}
	for i, name := range t.Files {
		files[i] = filepath.Join(t.dir(o.Root), name)
		contents[i], err = wholefile.Read(files[i])
		if errors.Is(err, fs.ErrNotExist) {
			return contents, files, fmt.Errorf("%s: %w; %s", names.Escape(files[i]), fs.ErrNotExist, hint)
		}
		if err != nil {
			return contents, files, fmt.Errorf("%s: %w", names.Escape(files[i]), wholefile.Cause(err))
		}
	}
	return contents, files, nil
}

// tokens returns the first limit tokens of a text, or all of them if limit is 0. It
// numbers new words. Its errors are texts that follow the name of the file.
func (c *Corpus) tokens(content []byte, limit int, number map[string]int32) (tokens []int32, err error) {
	add := func(word string) (full bool) {
		n, ok := number[word]
		if !ok {
			n = int32(len(c.Words))
			word = strings.Clone(word) // so that the line can be freed
			number[word] = n
			c.Words = append(c.Words, word)
		}
		tokens = append(tokens, n)
		return len(tokens) == limit
	}
	if !slices.ContainsFunc(bytes.Split(content, []byte("\n")), func(line []byte) bool { return len(bytes.TrimSpace(line)) > 0 }) {
		return nil, errors.New(": empty, want text")
	}
	line := 0
	for bytesOfLine := range bytes.Lines(content) {
		line++
		if i := invalid(bytesOfLine); i >= 0 {
			return nil, fmt.Errorf(":%d: not UTF-8 text: byte %#02x", line, bytesOfLine[i])
		}
		for word := range strings.FieldsSeq(string(bytesOfLine)) {
			if add(word) {
				return tokens, nil
			}
		}
		if add(endOfSentence) {
			return tokens, nil
		}
	}
	return tokens, nil
}

// invalid returns the index of the first byte that is not UTF-8, or -1.
func invalid(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// Fingerprint identifies the tokens that Open took.
func (c *Corpus) Fingerprint() fingerprint.Fingerprint {
	f := fingerprint.Fingerprint{Name: c.Name}
	t, registered := Find(c.Name)
	if !registered {
		t.Files = splitFiles
	}
	for i, tokens := range [][]int32{c.Train, c.Valid, c.Test} {
		h := sha256.New()
		w := bufio.NewWriterSize(h, 1<<16)
		for _, token := range tokens {
			_, _ = w.WriteString(c.Words[token]) // a hash returns no error
			_ = w.WriteByte('\n')
		}
		_ = w.Flush()
		f.Parts = append(f.Parts, fingerprint.Part{Name: t.Files[i], Tokens: len(tokens), Sum: fingerprint.Sum(h)})
	}
	return f
}

// Dictionary identifies the words and their numbers.
func (c *Corpus) Dictionary() string {
	h := sha256.New()
	for _, word := range c.Words {
		fmt.Fprintln(h, word)
	}
	return fingerprint.Sum(h)
}
