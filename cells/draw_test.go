package cells

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// svgTexts returns the sorted contents of the text elements; it fails the test if the picture is not XML.
func svgTexts(t *testing.T, svg []byte) []string {
	t.Helper()
	var texts []string
	var text strings.Builder
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	inText := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			slices.Sort(texts)
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = inText || token.Name.Local == "text"
		case xml.EndElement:
			if token.Name.Local == "text" {
				texts = append(texts, text.String())
				inText = false
				text.Reset()
			}
		case xml.CharData:
			if inText {
				text.Write(token)
			}
		}
	}
}

func TestDrawCell(t *testing.T) {
	// DrawCell writes well-formed SVG with every state and one label per edge when the cell is a published one.
	check := func(name string, c Cell, recurrent bool, states string) {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := DrawCell(&b, c, recurrent); err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(states)
			for _, e := range c.Edges {
				want = append(want, string(e.Op))
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, svgTexts(t, b.Bytes())); diff != "" {
				t.Errorf("texts (-want +got):\n%s", diff)
			}
			var again bytes.Buffer
			if err := DrawCell(&again, c, recurrent); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), again.Bytes()) {
				t.Error("a second drawing differs")
			}
		})
	}
	for _, k := range Known {
		states := "ck-2 ck-1 0 1 2 3 ck"
		if k.Genotype.Normal.Nodes() == 5 {
			states += " 4"
		}
		check(k.Name+" normal", k.Genotype.Normal, false, states)
		check(k.Name+" reduce", k.Genotype.Reduce, false, states)
	}
	for _, k := range RecurrentKnown {
		states := "xt ht-1 0 1 2 3 4 5 6 7 8 ht"
		if len(k.Genotype.Recurrent.Edges) == 11 {
			states += " 9 10 11"
		}
		check("recurrent "+k.Name, k.Genotype.Recurrent, true, states)
	}
}

func TestDrawCellOverlaps(t *testing.T) {
	// No boxes and labels overlap, and every arrow goes right, when the cell is any random one.
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		genotype := randomGenotype(r)
		c := genotype.Normal
		if genotype.IsRecurrent() {
			c = genotype.Recurrent
		}
		g, err := newCellGraph(c, genotype.IsRecurrent())
		if err != nil {
			t.Fatal(err)
		}
		p := g.layOut()
		width, height := p.size()
		for i, a := range p.spots {
			if a.x-a.width/2 < 0 || a.y-a.height/2 < 0 || a.x+a.width/2 > width || a.y+a.height/2 > height {
				t.Fatalf("%v: a spot at %g, %g is outside of %g x %g", genotype, a.x, a.y, width, height)
			}
			for _, b := range p.spots[i+1:] {
				if max(a.x-b.x, b.x-a.x) < (a.width+b.width)/2-1e-9 && max(a.y-b.y, b.y-a.y) < (a.height+b.height)/2 {
					t.Fatalf("%v: %q at %g, %g overlaps %q at %g, %g", genotype, a.label, a.x, a.y, b.label, b.x, b.y)
				}
			}
			for _, b := range a.after {
				if b.x-b.width/2 < a.x+a.width/2 {
					t.Fatalf("%v: an arrow goes left", genotype)
				}
			}
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestDrawCellErrors(t *testing.T) {
	// DrawCell says what is wrong when the cell is not valid, is too large, or the writer fails.
	good := Known[0].Genotype.Normal
	large := Cell{Concat: []int{34}}
	for range 2 * 33 {
		large.Edges = append(large.Edges, Edge{SkipConnect, 0})
	}
	for _, test := range []struct {
		name      string
		w         io.Writer
		cell      Cell
		recurrent bool
		want      string
	}{
		{"empty", io.Discard, Cell{}, false, "cells: draw: has no edges"},
		{"convolutional as recurrent", io.Discard, good, true,
			`cells: draw: edge 0 of node 0: op "sep_conv_5x5" does not fit a recurrent cell, want one of ["tanh" "relu" "sigmoid" "identity"]`},
		{"too large", io.Discard, large, false, "cells: draw: the cell has 33 nodes, want at most 32 in a picture"},
		{"writer fails", brokenWriter{}, good, false, "cells: draw: disk full"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := DrawCell(test.w, test.cell, test.recurrent); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func BenchmarkDrawCell(b *testing.B) {
	for b.Loop() {
		if err := DrawCell(io.Discard, Known[3].Genotype.Normal, false); err != nil {
			b.Fatal(err)
		}
	}
}
