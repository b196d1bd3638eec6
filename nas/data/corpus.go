package data

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"godarts/nas/names"
)

// Corpus is a text in three splits, each a sequence of tokens.
type Corpus struct {
	Name               string
	Words              []string // the dictionary; a token is an index of it
	Train, Valid, Test []int32

	// Unknown counts the words that valid and test add to the dictionary: training
	// never sees them.
	Unknown int
}

// CorpusOptions say which text is opened.
type CorpusOptions struct {
	Name   string // one of CorpusNames
	Root   string // folder of data sets, see [Root]; of "text" the folder of its files
	Tokens int    // the first of each split that are taken; 0 takes all
}

// endOfSentence ends every line.
const endOfSentence = "<eos>"

// publishedText is a text that lies below the folder of data sets.
type publishedText struct {
	folder string
	files  [3]string // train, valid, test
	wanted string    // what to put there
	// What a published preparation of it has, as a check: words of the dictionary, tokens.
	words, train, valid, test int
}

var publishedTexts = map[string]publishedText{
	"ptb": {
		"ptb", [3]string{"ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"},
		"Mikolov's preparation of the Penn Treebank, ptb.train.txt, ptb.valid.txt and ptb.test.txt of simple-examples/data",
		10_000, 929_589, 73_760, 82_430,
	},
	"wikitext2": {
		"wikitext-2", textFiles,
		"wiki.train.tokens, wiki.valid.tokens and wiki.test.tokens of wikitext-2-v1.zip, as train.txt, valid.txt and test.txt",
		33_278, 2_088_628, 217_646, 245_569,
	},
}

// text and syntheticText are the names of texts that are not published.
const (
	text          = "text"
	syntheticText = "synthetic-text"
)

var textFiles = [3]string{"train.txt", "valid.txt", "test.txt"}

// CorpusNames lists the texts that CorpusOptions.Open knows.
func CorpusNames() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(publishedTexts)), text, syntheticText)))
}

// PublishedWords is the size of the dictionary of a text that is known without
// reading it, else 0.
func PublishedWords(name string) int { return publishedTexts[name].words }

// WantedFiles says which files a text is read from, empty if it needs none.
func WantedFiles(name, root string) string {
	p, ok := publishedTexts[name]
	if !ok {
		return ""
	}
	return fmt.Sprintf("put into %s: %s", filepath.Join(Root(root), p.folder), p.wanted)
}

// Open reads a text: train, valid and test, one sentence or paragraph a line.
// Words are what white space separates, and every line, an empty one too, ends in
// the token "<eos>". The dictionary has the words in the order in which they first
// come, in train, then valid, then test: a word that only these have gets a number
// of its own. Reference rnn/data.py Corpus.
//
// Files that are missing, empty or not in UTF-8 are errors that name the file, and
// the line.
func (o CorpusOptions) Open() (*Corpus, error) {
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

// contents are the texts of the splits and the names of their files.
func (o CorpusOptions) contents() (contents [3][]byte, files [3]string, err error) {
	folder, wanted, hint := o.Root, textFiles, "want train.txt, valid.txt and test.txt there"
	switch p, ok := publishedTexts[o.Name]; {
	case o.Name == syntheticText:
		return syntheticTexts(), textFiles, nil
	case ok:
		folder, wanted, hint = filepath.Join(Root(o.Root), p.folder), p.files, fmt.Sprintf("`darts data get %s` tells what is wanted", o.Name)
	case o.Name != text:
		known := CorpusNames()
		return contents, files, fmt.Errorf("unknown text, nearest is %q (known: %s)", names.Nearest(o.Name, known), strings.Join(known, ", "))
	}
	for i, name := range wanted {
		files[i] = filepath.Join(folder, name)
		contents[i], err = readFile(files[i])
		if errors.Is(err, fs.ErrNotExist) {
			return contents, files, fmt.Errorf("%s: %w; %s", names.Escape(files[i]), fs.ErrNotExist, hint)
		}
		if err != nil {
			return contents, files, fmt.Errorf("%s: %w", names.Escape(files[i]), cause(err))
		}
	}
	return contents, files, nil
}

// tokens turns a text into its first limit tokens, or all of them if that is 0. It
// gives new words a number. Errors begin after the file's name.
func (c *Corpus) tokens(content []byte, limit int, number map[string]int32) (tokens []int32, err error) {
	add := func(word string) (full bool) {
		n, ok := number[word]
		if !ok {
			n = int32(len(c.Words))
			word = strings.Clone(word) // not the line, of which it is a part
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

// invalid is the first byte that is not UTF-8, or -1.
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

// Columns is a text cut into stretches that are read side by side.
type Columns struct {
	Rows, Columns int // Rows tokens in each column
	tokens        []int32
}

// NewColumns cuts tokens into columns of equal length; what is left over at the end
// is dropped. Reference rnn/utils.py batchify.
func NewColumns(tokens []int32, columns int) Columns {
	return Columns{Rows: len(tokens) / columns, Columns: columns, tokens: tokens}
}

// Chunk is n rows from one on, fewer at the end, and the tokens that come after
// each: x and y [n', Columns], n' = min(n, Rows − 1 − from). Reference rnn/utils.py
// get_batch.
func (c Columns) Chunk(from, n int) (x, y []int64) {
	n = min(n, c.Rows-1-from)
	x, y = make([]int64, 0, n*c.Columns), make([]int64, 0, n*c.Columns)
	for row := from; row < from+n; row++ {
		for column := range c.Columns {
			at := column*c.Rows + row
			x, y = append(x, int64(c.tokens[at])), append(y, int64(c.tokens[at+1]))
		}
	}
	return x, y
}

// UnigramLoss is the mean negative log likelihood of all tokens that chunks of
// columns predict, under a model that knows how often words come and nothing
// else: p(word) = (count in Train + 1)/(len(Train) + len(Words)).
func (c *Corpus) UnigramLoss(columns Columns) float64 {
	counts := make([]int, len(c.Words))
	for _, token := range c.Train {
		counts[token]++
	}
	sum, n := 0.0, columns.Columns*(columns.Rows-1)
	for column := range columns.Columns {
		for _, token := range columns.tokens[column*columns.Rows+1 : (column+1)*columns.Rows] {
			sum -= math.Log(float64(counts[token] + 1))
		}
	}
	return sum/float64(n) + math.Log(float64(len(c.Train)+len(c.Words)))
}
