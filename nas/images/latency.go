package images

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"godarts/cells"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/latency"
	"godarts/nas/names"
)

// Latencies are the times of operations in the network that a search counts for a cell: see CountedNetwork.
type Latencies struct {
	network cells.NetworkOptions
	rows    []latency.Row
}

// CountedNetwork returns the sizes of the network that the search c counts for a cell on these images: that of the
// section evaluate, or of the trials. A search without either has a training's default network.
func CountedNetwork(c *config.Config, images *data.Images) cells.NetworkOptions {
	if t := c.Training(); t != nil {
		c = t
	} else if !c.FromScratch() {
		c = config.Defaults(config.Train)
	}
	return NetworkOptions(c, images)
}

// LatencyLayers returns the layers that a table of latencies has to have for the search c on these images: each
// operation of its space wherever its edges lie in the counted network. They are sorted. It returns an error if the
// network cannot have these cells.
func LatencyLayers(c *config.Config, images *data.Images) (layers []latency.Layer, err error) {
	o, space := CountedNetwork(c, images), Space(c)
	if err := o.Check(space.Hardest()); err != nil {
		return nil, err
	}
	for kind := range genotype.ConvolutionalKinds {
		inputs, from := kind.Inputs(), 0
		for _, ops := range space.Ops(kind) {
			for _, at := range o.Places(kind, from) {
				for _, op := range ops {
					if op != genotype.None {
						layers = append(layers, layerAt(op, at))
					}
				}
			}
			if from++; from == inputs {
				inputs, from = inputs+1, 0
			}
		}
	}
	slices.SortFunc(layers, latency.Layer.Compare)
	return slices.Compact(layers), nil
}

func layerAt(op genotype.Op, at cells.Place) latency.Layer {
	return latency.Layer{Op: op, Channels: at.Channels, Side: at.Side, Stride: at.Stride}
}

// LatencyRows returns the rows that the search c needs on these images of each table that it names, by key. It returns
// an error if there is no such table, or one that lacks a row.
func LatencyRows(c *config.Config, images *data.Images) (map[string][]latency.Row, error) {
	tables := c.LatencyTables()
	if len(tables) == 0 {
		return nil, nil
	}
	layers, err := LatencyLayers(c, images)
	if err != nil {
		return nil, err
	}
	rows := map[string][]latency.Row{}
	for _, it := range tables {
		t, err := latency.Read(it.File)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("nas: %s: there is no %s: `%s` measures it", it.Key, names.Escape(it.File), latency.Command(it.File))
		}
		if err == nil {
			rows[it.Key], err = t.Of(layers, it.File)
		}
		if err != nil {
			return nil, fmt.Errorf("nas: %s: %w", it.Key, err)
		}
	}
	return rows, nil
}

// NewLatencies returns the times by rows in the network that the search c counts on these images.
func NewLatencies(c *config.Config, images *data.Images, rows []latency.Row) Latencies {
	return Latencies{CountedNetwork(c, images), rows}
}

// Edge returns the seconds that an operation on the edge from a node takes in all cells of the kind together; 0 for
// genotype.None.
func (l Latencies) Edge(kind genotype.Kind, from int, op genotype.Op) (seconds float64) {
	for _, at := range l.network.Places(kind, from) {
		r, _ := latency.Find(l.rows, layerAt(op, at)) // LatencyRows has checked that it is there
		seconds += r.Seconds
	}
	return seconds
}

// Cell returns the seconds that all edges in the network of g take, one after the other. Stems, the 1x1 convolutions at
// the inputs of cells, sums and the classifier are not in it.
func (l Latencies) Cell(g genotype.Genotype) (seconds float64) {
	for _, kind := range g.Kinds() {
		for _, edge := range g.Cell(kind).Edges {
			seconds += l.Edge(kind, edge.From, edge.Op)
		}
	}
	return seconds
}
