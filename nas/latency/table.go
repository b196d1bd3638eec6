// Package latency holds tables of how long operations take on a machine. `darts latency CONFIG --table FILE` measures
// one, searches read it.
package latency

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"godarts/cells/genotype"
	"godarts/nas/names"
	"godarts/nas/runfolder"
)

// Layer is an operation that reads maps [batch,Channels,Side,Side].
type Layer struct {
	Op       genotype.Op `json:"op"`
	Channels int         `json:"channels"`
	Side     int         `json:"side"`
	Stride   int         `json:"stride"`
}

func (l Layer) String() string {
	return fmt.Sprintf("%s, %d channels, side %d, stride %d", names.Print(string(l.Op)), l.Channels, l.Side, l.Stride)
}

// Compare orders layers by operation, channels, side and stride.
func (l Layer) Compare(m Layer) int {
	return cmp.Or(cmp.Compare(l.Op, m.Op), cmp.Compare(l.Channels, m.Channels), cmp.Compare(l.Side, m.Side), cmp.Compare(l.Stride, m.Stride))
}

// Row is how long a layer takes for a batch.
type Row struct {
	Layer
	Seconds float64 `json:"seconds"` // median of the passes
	Passes  int     `json:"passes"`  // that were timed
}

// Conditions are what the times of a table depend on besides the layer.
type Conditions struct {
	Machine   string `json:"machine"`   // model of the processor
	Processor string `json:"processor"` // its instructions in use, as torch.Processor gives them
	Libtorch  string `json:"libtorch"`
	Device    string `json:"device"`
	Threads   int    `json:"threads"`
	Batch     int    `json:"batch"` // images that pass together
	Dtype     string `json:"dtype"` // network.dtype
}

// Table is the content of a file: rows by Layer.Compare, each layer once.
type Table struct {
	Conditions
	Rows []Row `json:"rows"`
}

// Read reads the table in a file. The error wraps fs.ErrNotExist if there is none.
func Read(file string) (*Table, error) {
	var t Table
	err := runfolder.ReadJSON(file, &t)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("nas: no table of latencies %s: %w", names.Escape(file), fs.ErrNotExist)
	case err != nil:
		return nil, err
	}
	if err := Check(t.Rows); err != nil {
		return nil, fmt.Errorf("nas: table of latencies %s: %w", names.Escape(file), err)
	}
	return &t, nil
}

// Write replaces the table in a file.
func (t *Table) Write(file string) error { return runfolder.WriteJSON(file, t) }

// Check returns an error if rows are not those of a table.
func Check(rows []Row) error {
	for i, r := range rows {
		switch {
		case !(r.Seconds >= 0 && r.Seconds <= math.MaxFloat64):
			return fmt.Errorf("rows[%d]: %s: %v seconds", i, r.Layer, r.Seconds)
		case i > 0 && rows[i-1].Compare(r.Layer) >= 0:
			return fmt.Errorf("rows[%d]: %s comes twice, or after a later one", i, r.Layer)
		}
	}
	return nil
}

// Find returns the row of a layer among rows, which Check accepts.
func Find(rows []Row, of Layer) (r Row, there bool) {
	i, there := slices.BinarySearchFunc(rows, of, func(r Row, l Layer) int { return r.Compare(l) })
	if !there {
		return Row{Layer: of}, false
	}
	return rows[i], true
}

// Add adds a row, or replaces that of the same layer.
func (t *Table) Add(r Row) {
	i, there := slices.BinarySearchFunc(t.Rows, r.Layer, func(r Row, l Layer) int { return r.Compare(l) })
	if there {
		t.Rows[i] = r
		return
	}
	t.Rows = slices.Insert(t.Rows, i, r)
}

// Missing returns those of layers that rows lack.
func Missing(rows []Row, layers []Layer) (missing []Layer) {
	for _, l := range layers {
		if _, there := Find(rows, l); !there {
			missing = append(missing, l)
		}
	}
	return missing
}

// Of returns the rows of layers, which are sorted. The error names a layer without one, and file.
func (t *Table) Of(layers []Layer, file string) (rows []Row, err error) {
	if missing := Missing(t.Rows, layers); len(missing) > 0 {
		more := ""
		if len(missing) > 1 {
			more = fmt.Sprintf(" (and %d more)", len(missing)-1)
		}
		return nil, fmt.Errorf("%s has no row for %s%s: `%s` measures what it lacks", names.Escape(file), missing[0], more, Command(file))
	}
	for _, l := range layers {
		r, _ := Find(t.Rows, l)
		rows = append(rows, r)
	}
	return rows, nil
}

// Command returns the command that measures what the table in a file lacks.
func Command(file string) string { return "darts latency CONFIG --table " + names.Shell(file) }

// Changes says in a few words in what now differs from c, nothing if in nothing.
func (c Conditions) Changes(now Conditions) string {
	var changes []string
	for _, it := range []struct{ what, before, now string }{
		{"machine", c.Machine, now.Machine},
		{"processor", c.Processor, now.Processor},
		{"libtorch", c.Libtorch, now.Libtorch},
		{"device", c.Device, now.Device},
		{"threads", fmt.Sprint(c.Threads), fmt.Sprint(now.Threads)},
		{"batch", fmt.Sprint(c.Batch), fmt.Sprint(now.Batch)},
		{"dtype", c.Dtype, now.Dtype},
	} {
		if it.before != it.now {
			changes = append(changes, fmt.Sprintf("%s %s, now %s", it.what, names.Print(it.before), names.Print(it.now)))
		}
	}
	return strings.Join(changes, "; ")
}

// Changed returns the first difference between rows and now, an empty text if there is none.
func Changed(rows, now []Row) string {
	for _, r := range rows {
		switch n, there := Find(now, r.Layer); {
		case !there:
			return fmt.Sprintf("%s is gone", r.Layer)
		case n.Seconds != r.Seconds:
			return fmt.Sprintf("%s takes %v s, was %v s", r.Layer, n.Seconds, r.Seconds)
		}
	}
	if missing := Missing(rows, layersOf(now)); len(missing) > 0 {
		return fmt.Sprintf("%s is new", missing[0])
	}
	return ""
}

func layersOf(rows []Row) (layers []Layer) {
	for _, r := range rows {
		layers = append(layers, r.Layer)
	}
	return layers
}
