// Package fingerprint compares the contents of data sets: what a run began with and what is
// there now.
package fingerprint

import (
	"encoding/hex"
	"fmt"
	"hash"

	"godarts/nas/names"
)

// Fingerprint identifies the content of a data set: of an imagefolder by the names and
// sizes of its files, of a text by its words, of other sets by their images.
type Fingerprint struct {
	Name  string `json:"name"`
	Parts []Part `json:"parts"`
}

// Part is one part of a data set.
type Part struct {
	Name    string  `json:"name"` // train, test or val; the file of a text
	Images  int     `json:"images,omitempty"`
	Tokens  int     `json:"tokens,omitempty"`
	Sum     string  `json:"sum,omitempty"`
	Classes []Class `json:"classes,omitempty"` // of an imagefolder, in order
}

// Class describes the files of a class.
type Class struct {
	Name  string `json:"name"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
	Sum   string `json:"sum"` // of their names and sizes
}

// Sum returns the first 16 bytes of a SHA-256, in hexadecimal.
func Sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:16]) }

// Changes says in a few words what is different now, nothing if nothing is.
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
	return names.Few(changes)
}

// Size is the number of images of the part, 0 for a text.
func (p Part) Size() int {
	n := p.Images
	for _, c := range p.Classes {
		n += c.Files
	}
	return n
}

// title names the part in messages.
func (p Part) title() string {
	if p.Name == "" {
		return "the folder of classes"
	}
	return names.Print(p.Name)
}

// find returns the part of that name.
func find(parts []Part, name string) (found Part, there bool) {
	for _, p := range parts {
		if p.Name == name {
			return p, true
		}
	}
	return found, false
}

// changes says how q, the same part now, is different.
func (p Part) changes(q Part) []string {
	switch {
	case p.Classes != nil && q.Classes != nil:
		return p.changedClasses(q)
	case p.Tokens != q.Tokens:
		return []string{fmt.Sprintf("%s: %s, was %d", p.title(), names.Count(q.Tokens, "token"), p.Tokens)}
	case p.Images != q.Images:
		return []string{fmt.Sprintf("%s: %s, was %d", p.title(), names.Count(q.Images, "image"), p.Images)}
	case p.Sum != q.Sum && p.Tokens > 0:
		return []string{p.title() + ": the same number of tokens, but other words"}
	case p.Sum != q.Sum:
		return []string{p.title() + ": the same number of images, but other ones"}
	}
	return nil
}

// changedClasses says how the classes of q, the same part now, are different.
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
			say(c, ": %s more", names.Count(d.Files-c.Files, "file"))
		case d.Files < c.Files:
			say(c, ": %s fewer", names.Count(c.Files-d.Files, "file"))
		case d.Sum != c.Sum:
			say(c, ": the same number of files, but other names or sizes")
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
