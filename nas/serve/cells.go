package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"sync"

	"godarts/cells/draw"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/runfolder"
)

// mostDetails is the number of runs whose cells and steps are kept.
const mostDetails = 16

// details keeps of the runs that were looked at last what their pages need of the lines of metrics.
type details struct {
	mu   sync.Mutex
	runs []*detail // the one that was used last comes last
}

// detail is what the lines of a run's metrics tell of its cells and of its steps.
type detail struct {
	name  string
	lines tail
	cells []cellOf
	loss  []float64 // of the training, by line
}

// cellOf is the cell of an epoch.
type cellOf struct {
	Epoch    int // from 1
	Genotype string
	Changed  int // edges that differ from the epoch before
	Of       int
}

// of returns the cells by epoch, and the losses by line, of the run of that name.
func (d *details) of(root *os.Root, name string) ([]cellOf, []float64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var it *detail
	if at := slices.IndexFunc(d.runs, func(r *detail) bool { return r.name == name }); at >= 0 {
		it = d.runs[at]
		d.runs = slices.Delete(d.runs, at, at+1)
	} else {
		it = &detail{name: name, lines: tail{file: path.Join(name, runfolder.MetricsFile)}}
	}
	d.runs = append(d.runs, it)
	if len(d.runs) > mostDetails {
		d.runs = slices.Delete(d.runs, 0, 1)
	}
	err := it.lines.next(root, func() { it.cells, it.loss = nil, nil }, it.add)
	return slices.Clone(it.cells), slices.Clone(it.loss), err
}

func (d *detail) add(line []byte) {
	var m runfolder.Metric
	if json.Unmarshal(withoutCells(line), &m) != nil {
		return
	}
	if m.TrainLoss != nil {
		d.loss = append(d.loss, *m.TrainLoss)
	}
	if m.Genotype == "" {
		return
	}
	c := cellOf{Epoch: m.Epoch + 1, Genotype: m.Genotype}
	if n := len(d.cells); n > 0 {
		if d.cells[n-1].Genotype == c.Genotype {
			c.Genotype = d.cells[n-1].Genotype // one text for all
		}
		c.Changed, c.Of = changed(d.cells[n-1].Genotype, c.Genotype)
	}
	d.cells = append(d.cells, c)
}

// changed counts the edges in which two cells differ.
func changed(before, after string) (edges, of int) {
	old, err := genotype.Parse(before)
	if err != nil {
		return 0, 0
	}
	g, err := genotype.Parse(after)
	if err != nil {
		return 0, 0
	}
	return g.Changed(old)
}

// cell answers with the drawing of a cell: ?epoch=3&kind=normal, the newest without an epoch.
func (s *site) cell(w http.ResponseWriter, r *http.Request) {
	l, ok := s.named(w, r)
	if !ok {
		return
	}
	g, err := s.genotype(&l, r.URL.Query().Get("epoch"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	for _, kind := range g.Kinds() {
		if kind.String() != r.URL.Query().Get("kind") {
			continue
		}
		var b bytes.Buffer
		if err := draw.SVG(&b, *g.Cell(kind), kind); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Cache-Control", "private, max-age=60") // a slider asks for the same ones again and again
		_, _ = w.Write(b.Bytes())
		return
	}
	http.Error(w, "no cell of that kind", http.StatusNotFound)
}

// genotype returns the cell of a run after an epoch, the last one for an empty text.
func (s *site) genotype(l *listed, epoch string) (g genotype.Genotype, err error) {
	cells, err := s.cellsOf(l)
	if err != nil {
		return g, err
	}
	at := len(cells) - 1
	if epoch != "" {
		n, err := strconv.Atoi(epoch)
		if err != nil {
			return g, errors.New("epoch: want a number")
		}
		at = slices.IndexFunc(cells, func(c cellOf) bool { return c.Epoch == n })
	}
	if at < 0 {
		return g, errors.New("no cell of that epoch")
	}
	return genotype.Parse(cells[at].Genotype)
}

// cellsOf returns the cells of a run by epoch. A training has one, of epoch 0.
func (s *site) cellsOf(l *listed) ([]cellOf, error) {
	cells, _, err := s.details.of(s.root, l.Name)
	if err != nil || len(cells) > 0 || l.config == nil || l.Experiment != config.Train {
		return cells, err
	}
	g, err := runfolder.GenotypeOf(l.config)
	if err != nil {
		return nil, err
	}
	return []cellOf{{Genotype: g.String()}}, nil
}
