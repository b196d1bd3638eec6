package corpus

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"godarts/nas/home"
)

// publishedText is a text whose files lie below the folder of data sets.
type publishedText struct {
	folder string
	files  [3]string // train, valid, test
	wanted string    // what to put there
	// Sizes of the published files, as a check: words of the dictionary, tokens of the splits.
	words, train, valid, test int
}

var publishedTexts = map[string]publishedText{
	"ptb": {
		"ptb", [3]string{"ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"},
		"Mikolov's preparation of the Penn Treebank, ptb.train.txt, ptb.valid.txt and ptb.test.txt of simple-examples/data",
		10_000, 929_589, 73_760, 82_430,
	},
	"wikitext2": {
		"wikitext-2", ownFiles,
		"wiki.train.tokens, wiki.valid.tokens and wiki.test.tokens of wikitext-2-v1.zip, as train.txt, valid.txt and test.txt",
		33_278, 2_088_628, 217_646, 245_569,
	},
}

// ownFiles are the splits of a text that is not published.
var ownFiles = [3]string{"train.txt", "valid.txt", "test.txt"}

// Names lists the texts that Options.Open knows.
func Names() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(publishedTexts)), ownText, syntheticText)))
}

// PublishedWords returns the size of the dictionary of a published text, without reading
// it, and 0 for others.
func PublishedWords(name string) int { return publishedTexts[name].words }

// WantedFiles says which files of a published text to put where; it is empty for others.
func WantedFiles(name, root string) string {
	p, ok := publishedTexts[name]
	if !ok {
		return ""
	}
	return fmt.Sprintf("put into %s: %s", filepath.Join(home.DataRoot(root), p.folder), p.wanted)
}
