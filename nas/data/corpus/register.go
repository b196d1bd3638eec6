package corpus

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"godarts/nas/home"
)

// Text is a text that a config can name: "data: {name: NAME}".
type Text struct {
	Name string
	Doc  string // what it is, for the meaning of data.name: "read from data.root"

	// Files are the names of its files of training, validation and test. They lie in Folder below the folder of data
	// sets; with an empty Folder they lie in Options.Root itself, which then has to be given.
	Folder string
	Files  [3]string
	// Contents makes the splits of a text that has no files; nil for one that has. Files name them in fingerprints.
	Contents func() [3][]byte

	Wanted string // which files to put where, for who lacks them; may be empty
	Words  int    // of its dictionary, 0 if that is not known before the text is read
}

var registered struct {
	sync.RWMutex
	texts []Text
}

// Register makes a text available under its name, as database/sql's drivers are. A package calls it in an init
// function. It panics if the name is taken, or if a name or the names of the files are missing.
func Register(t Text) {
	if t.Name == "" || strings.ContainsAny(t.Name, " \n\t") {
		panic(fmt.Sprintf("data: register text %q: want a name without spaces", t.Name))
	}
	for _, file := range t.Files {
		if file == "" {
			panic(fmt.Sprintf("data: register text %q: want names of three files", t.Name))
		}
	}
	if _, taken := Find(t.Name); taken {
		panic(fmt.Sprintf("data: register text %q: there is one of that name", t.Name))
	}
	registered.Lock()
	defer registered.Unlock()
	registered.texts = append(registered.texts, t)
}

// Find returns the text of that name. Without one it returns false, and a Text of zeros.
func Find(name string) (Text, bool) {
	registered.RLock()
	defer registered.RUnlock()
	for _, t := range registered.texts {
		if t.Name == name {
			return t, true
		}
	}
	return Text{}, false
}

// Names lists the registered texts, in the order of their registration.
func Names() (names []string) {
	registered.RLock()
	defer registered.RUnlock()
	for _, t := range registered.texts {
		names = append(names, t.Name)
	}
	return names
}

// NeedsRoot reports whether the text lies in Options.Root itself.
func (t Text) NeedsRoot() bool { return t.Contents == nil && t.Folder == "" }

// dir returns the folder of the files.
func (t Text) dir(root string) string {
	if t.Folder == "" {
		return root
	}
	return filepath.Join(home.DataRoot(root), t.Folder)
}

// WantedFiles says which files of the text to put where; it is empty if its registration does not.
func (t Text) WantedFiles(root string) string {
	if t.Wanted == "" {
		return ""
	}
	return fmt.Sprintf("put into %s: %s", t.dir(root), t.Wanted)
}

// splitFiles are the files of texts that have no names of their own.
var splitFiles = [3]string{"train.txt", "valid.txt", "test.txt"}

func init() {
	const published = "read from data.root"
	Register(Text{
		Name: "ptb", Doc: published, Folder: "ptb", Files: [3]string{"ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"},
		Wanted: "Mikolov's preparation of the Penn Treebank, ptb.train.txt, ptb.valid.txt and ptb.test.txt of simple-examples/data",
		Words:  10_000,
	})
	Register(Text{
		Name: "wikitext2", Doc: published, Folder: "wikitext-2", Files: splitFiles,
		Wanted: "wiki.train.tokens, wiki.valid.tokens and wiki.test.tokens of wikitext-2-v1.zip, as train.txt, valid.txt and test.txt",
		Words:  33_278,
	})
	Register(Text{Name: "text", Doc: "data.root/train.txt, valid.txt, test.txt", Files: splitFiles})
	Register(Text{Name: "synthetic-text", Doc: "built in", Files: splitFiles, Contents: syntheticTexts})
}
