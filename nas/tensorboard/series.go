package tensorboard

import (
	"bytes"
	"fmt"

	"godarts/cells/drawing"
	"godarts/cells/genotype"
	"godarts/nas/runfolder"
)

// series turns the lines of a run into events, in the order of the file.
type series struct {
	before   int    // steps of the epochs before the current one
	epoch    int    // the current one
	of       int    // its steps; before its first line those of the epoch before
	genotype string // of the last epoch that had one
}

// line returns the event of a line of metrics with its timing, whose zero value means that there is none.
// The position of a line within an epoch is the number of steps since the start of the run, that of an
// epoch its number, from 1. It returns nil for a line that has no position, which older runs write
// within epochs.
func (s *series) line(m runfolder.Metric, t runfolder.Timing, wall float64) ([]byte, error) {
	if m.Step > 0 {
		if m.Of == 0 {
			return nil, nil
		}
		return event(wall, s.position(m), byStep(m, t)), nil
	}
	values := append(curves(m), times("", t)...)
	if m.Observation != nil {
		values = append(values, observation(*m.Observation)...)
	}
	if m.Genotype != "" && m.Genotype != s.genotype {
		s.genotype = m.Genotype
		values = append(values, text("genotype", verbatim(m.Genotype)))
		images, err := pictures(m.Genotype)
		if err != nil {
			return nil, err
		}
		values = append(values, images...)
	}
	return event(wall, m.Epoch+1, values), nil
}

// position returns the number of steps since the start of the run. An epoch without lines counts as long
// as the one before it, or as the first that has a line.
func (s *series) position(m runfolder.Metric) int {
	if s.of == 0 {
		s.of = m.Of
	}
	for ; s.epoch < m.Epoch; s.epoch++ {
		s.before += s.of
	}
	s.of = m.Of
	return s.before + m.Step
}

// pictures returns the drawings of the cells, none for a text that is no genotype or has too many nodes to
// draw.
func pictures(cells string) (values []message, err error) {
	g, err := genotype.Parse(cells)
	if err != nil {
		return nil, nil
	}
	for _, kind := range g.Kinds() {
		var encoded bytes.Buffer
		if err := drawing.Write(&encoded, g, drawing.Options{Format: "png", Kinds: []genotype.Kind{kind}}); err != nil {
			continue
		}
		drawn, err := picture("cell/"+kind.String(), encoded.Bytes())
		if err != nil {
			return nil, err
		}
		values = append(values, drawn)
	}
	return values, nil
}

// given is a figure that a line may have.
type given struct {
	tag string
	v   *float64
}

// scalars returns the figures that are there.
func scalars(all []given) (values []message) {
	for _, g := range all {
		if g.v != nil {
			values = append(values, scalar(g.tag, *g.v))
		}
	}
	return values
}

// byStep returns the figures of a line within an epoch.
func byStep(m runfolder.Metric, t runfolder.Timing) []message {
	return append(scalars([]given{
		{"by_step/loss", m.TrainLoss},
		{"by_step/accuracy", m.TrainAccuracy},
		{"by_step/perplexity", m.TrainPerplexity},
		{"by_step/learning_rate", m.LR},
		{"by_step/grad_norm_w", m.GradNormW},
		{"by_step/grad_norm_alpha", m.GradNormAlpha},
	}), times("by_step_", t)...)
}

// curves returns the figures of the line of an epoch.
func curves(m runfolder.Metric) []message {
	return scalars([]given{
		{"loss/train", m.TrainLoss},
		{"loss/valid", m.ValidLoss},
		{"loss/test", m.TestLoss},
		{"accuracy/train", m.TrainAccuracy},
		{"accuracy/valid", m.ValidAccuracy},
		{"accuracy/test", m.TestAccuracy},
		{"accuracy/valid_top_five", m.ValidTopFive},
		{"accuracy/test_top_five", m.TestTopFive},
		{"perplexity/train", m.TrainPerplexity},
		{"perplexity/valid", m.ValidPerplexity},
		{"learning_rate/w", m.LR},
		{"grad_norm/w", m.GradNormW},
		{"grad_norm/alpha", m.GradNormAlpha},
		{"eigenvalue/alpha", m.Eigenvalue},
	})
}

// times returns the speed and the memory of a line, with prefix before the groups.
func times(prefix string, t runfolder.Timing) (values []message) {
	for _, it := range []struct {
		tag string
		v   float64
	}{
		{"speed/items_per_second", t.ItemsPerSecond},
		{"memory/peak_rss_bytes", float64(t.PeakRSSBytes)},
		{"memory/peak_device_bytes", float64(t.PeakDeviceBytes)},
	} {
		if it.v != 0 {
			values = append(values, scalar(prefix+it.tag, it.v))
		}
	}
	return values
}

// observation returns what a search knows of its architecture.
func observation(o runfolder.Observation) (values []message) {
	for _, cell := range o.Cells {
		values = append(values, mix(cell)...)
	}
	if o.SkipConnections != nil {
		values = append(values, scalar("cell/skip_connections", float64(*o.SkipConnections)))
	}
	for _, it := range []struct {
		tag string
		v   float64
	}{
		{"cell/parameters", float64(o.Parameters)},
		{"cell/multiply_adds", float64(o.MultiplyAdds)},
		{"cell/stage", float64(o.Stage)},
	} {
		if it.v != 0 {
			values = append(values, scalar(it.tag, it.v))
		}
	}
	return append(values, scalars([]given{{"cell/temperature", o.Temperature}})...)
}

// mix returns softmax(α) of a cell: a scalar for each edge and operation, a histogram for each edge and
// for each operation, and the entropies.
func mix(cell runfolder.CellMix) (values []message) {
	kind := clean(cell.Kind)
	shares := make([][]float64, len(cell.Operations))
	entropy := 0.0
	for _, e := range cell.Edges {
		edge := fmt.Sprintf("edge_%d_%d", e.From, e.Node)
		for i, p := range e.P {
			if i < len(cell.Operations) {
				shares[i] = append(shares[i], p)
				values = append(values, scalar(fmt.Sprintf("alpha_%s/%s/%s", kind, edge, clean(cell.Operations[i])), p))
			}
		}
		if len(e.P) > 0 {
			values = append(values, histogram(fmt.Sprintf("alpha_%s/%s", kind, edge), e.P))
		}
		values = append(values, scalar(fmt.Sprintf("entropy_%s/%s", kind, edge), e.Entropy))
		if e.Beta != nil {
			values = append(values, scalar(fmt.Sprintf("beta_%s/%s", kind, edge), *e.Beta))
		}
		entropy += e.Entropy / float64(len(cell.Edges))
	}
	for i, of := range shares {
		if len(of) > 0 {
			values = append(values, histogram(fmt.Sprintf("alpha_%s/%s", kind, clean(cell.Operations[i])), of))
		}
	}
	if len(cell.Edges) > 0 {
		values = append(values, scalar("entropy/"+kind, entropy))
	}
	return values
}
