package data

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"godarts/nas/names"
)

// Fingerprint tells one content of a data set from another: of an imagefolder by the
// names and sizes of its files, of a text by its words, of other sets by their images.
type Fingerprint struct {
	Name  string `json:"name"`
	Parts []Part `json:"parts"`
}

// Part is one part of a data set.
type Part struct {
	Name    string  `json:"name"` // train, test or val; of a text the file
	Images  int     `json:"images,omitempty"`
	Tokens  int     `json:"tokens,omitempty"`
	Sum     string  `json:"sum,omitempty"`
	Classes []Class `json:"classes,omitempty"` // of an imagefolder, in order
}

// Class are the files of a class.
type Class struct {
	Name  string `json:"name"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
	Sum   string `json:"sum"` // of their names and sizes
}

// sumBytes are those kept of a SHA-256.
const sumBytes = 16

func sumOf(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:sumBytes]) }

// Fingerprint is that of the set as it was opened.
func (s *Set) Fingerprint() Fingerprint {
	f := Fingerprint{Name: s.Name, Parts: s.files}
	if s.files != nil {
		return f
	}
	for i, name := range []string{"train", "test"} {
		m, h := s.whole[i], sha256.New()
		for _, class := range s.ClassNames {
			fmt.Fprintln(h, class)
		}
		_ = binary.Write(h, binary.LittleEndian, m.Labels) // a hash takes everything
		h.Write(m.Pixels)
		f.Parts = append(f.Parts, Part{Name: name, Images: m.N, Sum: sumOf(h)})
	}
	return f
}

// Fingerprint is that of the tokens that were taken.
func (c *Corpus) Fingerprint() Fingerprint {
	f := Fingerprint{Name: c.Name}
	files := textFiles
	if p, published := publishedTexts[c.Name]; published {
		files = p.files
	}
	for i, tokens := range [][]int32{c.Train, c.Valid, c.Test} {
		h := sha256.New()
		w := bufio.NewWriterSize(h, 1<<16)
		for _, token := range tokens {
			_, _ = w.WriteString(c.Words[token]) // a hash takes everything
			_ = w.WriteByte('\n')
		}
		_ = w.Flush()
		f.Parts = append(f.Parts, Part{Name: files[i], Tokens: len(tokens), Sum: sumOf(h)})
	}
	return f
}

// Dictionary identifies the words and their numbers.
func (c *Corpus) Dictionary() string {
	h := sha256.New()
	for _, word := range c.Words {
		fmt.Fprintln(h, word)
	}
	return sumOf(h)
}

// Changes tells in a few words what is different now, nothing if all is as it was.
func (f Fingerprint) Changes(now Fingerprint) string {
	if f.Name != now.Name {
		return fmt.Sprintf("it is %s, was %s", names.Print(now.Name), names.Print(f.Name))
	}
	var changes []string
	for _, p := range f.Parts {
		if q, there := find(now.Parts, p.Name); there {
			changes = append(changes, p.changes(q)...)
		} else {
			changes = append(changes, p.title()+" is gone")
		}
	}
	for _, q := range now.Parts {
		if _, there := find(f.Parts, q.Name); !there {
			changes = append(changes, q.title()+" is new")
		}
	}
	return first(changes)
}

// Size is the number of images of the part, 0 of a text.
func (p Part) Size() int {
	n := p.Images
	for _, c := range p.Classes {
		n += c.Files
	}
	return n
}

// title is how messages call the part.
func (p Part) title() string {
	if p.Name == "" {
		return "the folder of classes"
	}
	return names.Print(p.Name)
}

// find is the part of that name.
func find(parts []Part, name string) (found Part, there bool) {
	for _, p := range parts {
		if p.Name == name {
			return p, true
		}
	}
	return found, false
}

// changes tells how q, the same part now, is different.
func (p Part) changes(q Part) []string {
	switch {
	case p.Classes != nil && q.Classes != nil:
		return p.changedClasses(q)
	case p.Tokens != q.Tokens:
		return []string{fmt.Sprintf("%s: %s, was %d", p.title(), count(q.Tokens, "token"), p.Tokens)}
	case p.Images != q.Images:
		return []string{fmt.Sprintf("%s: %s, was %d", p.title(), count(q.Images, "image"), p.Images)}
	case p.Sum != q.Sum && p.Tokens > 0:
		return []string{p.title() + ": as many tokens, but other words"}
	case p.Sum != q.Sum:
		return []string{p.title() + ": as many images, but other ones"}
	}
	return nil
}

func (p Part) changedClasses(q Part) (changes []string) {
	say := func(c Class, format string, args ...any) {
		of := ""
		if p.Name != "" {
			of = " of " + p.title()
		}
		changes = append(changes, "class "+names.Print(c.Name)+of+fmt.Sprintf(format, args...))
	}
	before, now := byName(p.Classes), byName(q.Classes)
	for _, c := range p.Classes {
		switch d, there := now[c.Name]; {
		case !there:
			say(c, " is gone")
		case d.Files > c.Files:
			say(c, ": %s more", count(d.Files-c.Files, "file"))
		case d.Files < c.Files:
			say(c, ": %s fewer", count(c.Files-d.Files, "file"))
		case d.Sum != c.Sum:
			say(c, ": as many files, but other names or sizes")
		}
	}
	for _, d := range q.Classes {
		if _, there := before[d.Name]; !there {
			say(d, " is new")
		}
	}
	return changes
}

func byName(classes []Class) map[string]Class {
	all := make(map[string]Class, len(classes))
	for _, c := range classes {
		all[c.Name] = c
	}
	return all
}

// Describe tells in a line or two what there is: classes, images, and what becomes of them.
func (s *Set) Describe() []string {
	var classes []string
	for _, name := range s.ClassNames {
		classes = append(classes, names.Print(name))
	}
	train := s.Train
	lines := []string{fmt.Sprintf("%d classes: %s; %s to train, %d to test", len(classes), first(classes), count(train.N, "image"), s.Test.N)}
	size := fmt.Sprintf("%dx%d, %s", train.Width, train.Height, map[bool]string{true: "grey", false: "colour"}[train.Channels == 1])
	cut := "the shorter side is scaled to it, the middle is cut out"
	if s.Augment.Window == RandomArea {
		cut = fmt.Sprintf("a random area to train; to test the shorter side is scaled to %d, the middle is cut out", (8*train.Width+3)/7)
	}
	return append(lines, strings.Join([]string{"images become " + size, cut}, ": "))
}
