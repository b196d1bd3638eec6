package page

import (
	"bytes"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"godarts/cells/draw"
	"godarts/cells/genotype"
)

// mostDrawings bounds the drawings of a page, of which each takes some kilobytes.
const mostDrawings = 240

// Drawings are the cells of a run after each epoch.
type Drawings struct {
	Text     string   // the last genotype
	Unit     string   // what is counted: "epoch", or "cell" of a search that trains each
	Kinds    []string // of the cells, in order
	Epochs   []EpochCells
	Pictures []template.HTML // the different cells, by their numbers in Epochs
}

// EpochCells says which pictures show the cells after an epoch.
type EpochCells struct {
	Epoch    int // from 1
	Pictures []int
	Changed  string // "3 of 16 edges changed"
}

// Last returns the pictures of the last cells.
func (d *Drawings) Last() (pictures []template.HTML) {
	for _, i := range d.Epochs[len(d.Epochs)-1].Pictures {
		pictures = append(pictures, d.Pictures[i])
	}
	return pictures
}

// Data returns the epochs for the script: epoch, pictures and change of each, "1;0 1;|2;0 2;1 of 16 edges changed".
func (d *Drawings) Data() string {
	var epochs []string
	for _, e := range d.Epochs {
		var numbers []string
		for _, i := range e.Pictures {
			numbers = append(numbers, strconv.Itoa(i))
		}
		epochs = append(epochs, fmt.Sprintf("%d;%s;%s", e.Epoch, strings.Join(numbers, " "), e.Changed))
	}
	return strings.Join(epochs, "|")
}

// Scrubs reports whether there is more than one cell to look at.
func (d *Drawings) Scrubs() bool { return len(d.Epochs) > 1 }

// Cells returns the drawings of the run, nil if it has no cell that can be drawn.
func (v *runView) Cells() *Drawings {
	d := &Drawings{Unit: "epoch"}
	if v.Config.FromScratch() {
		d.Unit = "cell"
	}
	numbers := map[string]int{}
	var before *genotype.Genotype
	add := func(epoch int, g genotype.Genotype) bool {
		e := EpochCells{Epoch: epoch}
		d.Kinds = nil
		for _, kind := range g.Kinds() {
			picture, ok := drawing(*g.Cell(kind), kind)
			if !ok {
				return false
			}
			d.Kinds = append(d.Kinds, kind.String())
			if _, known := numbers[string(picture)]; !known {
				numbers[string(picture)] = len(d.Pictures)
				d.Pictures = append(d.Pictures, picture)
			}
			e.Pictures = append(e.Pictures, numbers[string(picture)])
		}
		if before != nil {
			changed, of := g.Changed(*before)
			e.Changed = fmt.Sprintf("%d of %d edges changed", changed, of)
			if changed == 0 {
				e.Changed = "no edge changed"
			}
		}
		before = &g
		d.Text = g.String()
		d.Epochs = append(d.Epochs, e)
		return true
	}
	every := max(1, (2*len(v.Epochs)+mostDrawings-1)/mostDrawings)
	for i := range v.Epochs {
		text := v.Epochs[i].Genotype
		if text == "" || i%every != 0 && i < len(v.Epochs)-1 {
			continue
		}
		if g, err := genotype.Parse(text); err == nil {
			add(v.Epochs[i].Epoch+1, g)
		}
	}
	v.addResult(d, add)
	if len(d.Epochs) == 0 {
		return nil
	}
	return d
}

// addResult adds the cell of the result, or the one that a training trains, if it is not the last already.
func (v *runView) addResult(d *Drawings, add func(epoch int, g genotype.Genotype) bool) {
	switch {
	case v.Search != nil && v.Search.Genotype.String() != d.Text:
		add(len(v.Epochs), v.Search.Genotype)
	case v.Search == nil && len(d.Epochs) == 0 && v.Config.Genotype != "":
		g, err := genotype.Parse(v.Config.Genotype)
		if v.Config.Data.IsText() {
			if published, failed := genotype.LookupRecurrent(v.Config.Genotype); failed == nil {
				g, err = published, nil
			}
		}
		if err == nil {
			add(len(v.Epochs), g)
		}
	}
}

// drawing returns the picture of a cell; false if it cannot be drawn.
func drawing(c genotype.Cell, kind genotype.Kind) (template.HTML, bool) {
	var b bytes.Buffer
	if err := draw.SVG(&b, c, kind); err != nil {
		return "", false
	}
	return template.HTML(b.String()), true // draw escapes names of operations
}
