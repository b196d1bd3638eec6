package data

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"godarts/nas/data/fingerprint"
	"godarts/nas/data/picture"
	"godarts/nas/names"
)

// Set is a data set with its split.
type Set struct {
	Name        string
	Train, Test *Images
	ClassNames  []string // [Classes]
	Augment     Augment  // suits training on these images: a flipped digit, for example, is no digit
	Notes       []string // what the user of the set should know about it

	// Files are the parts of a set of files as it was opened; nil for a set that NewSet made.
	Files []fingerprint.Part

	whole [2]*Images // Train and Test as they were opened
}

// NewSet makes a set whose fingerprint identifies the pixels of train and test, also after
// the caller has replaced Train or Test.
func NewSet(name string, train, test *Images, classNames []string, augment Augment) *Set {
	return &Set{
		Name: name, Train: train, Test: test, ClassNames: classNames, Augment: augment,
		whole: [2]*Images{train, test},
	}
}

// Fingerprint identifies the content of the set as it was opened.
func (s *Set) Fingerprint() fingerprint.Fingerprint {
	f := fingerprint.Fingerprint{Name: s.Name, Parts: s.Files}
	if s.Files != nil {
		return f
	}
	for i, name := range []string{"train", "test"} {
		m, h := s.whole[i], sha256.New()
		for _, class := range s.ClassNames {
			fmt.Fprintln(h, class)
		}
		_ = binary.Write(h, binary.LittleEndian, m.Labels) // a hash returns no error
		h.Write(m.Pixels)
		f.Parts = append(f.Parts, fingerprint.Part{Name: name, Images: m.N, Sum: fingerprint.Sum(h)})
	}
	return f
}

// Describe returns two lines: classes and numbers of images, and how images are scaled.
func (s *Set) Describe() []string {
	var classes []string
	for _, name := range s.ClassNames {
		classes = append(classes, names.Print(name))
	}
	train := s.Train
	lines := []string{fmt.Sprintf("%d classes: %s; %s to train, %d to test", len(classes), names.Few(classes), names.Count(train.N, "image"), s.Test.N)}
	size := fmt.Sprintf("%dx%d, %s", train.Width, train.Height, map[bool]string{true: "grey", false: "colour"}[train.Channels == 1])
	cut := "the shorter side is scaled to it, the middle is cut out"
	if s.Augment.Window == picture.RandomArea {
		cut = fmt.Sprintf("a random area to train; to test the shorter side is scaled to %d, the middle is cut out", (8*train.Width+3)/7)
	}
	return append(lines, strings.Join([]string{"images become " + size, cut}, ": "))
}
