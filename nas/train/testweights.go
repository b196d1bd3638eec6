package train

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"godarts/cells/genotype"
	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/data/sets"
	"godarts/nas/images"
	"godarts/nas/model"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/nas/texts"
	"godarts/torch"
)

// TestWeights measures the weights in file, see model.ReadWeights, in the network of the training c on
// the test images or text. written are the keys of c that the user gave.
//
// If this program wrote the file, it describes its network and its images. The description replaces
// keys that are not written, with a note for each. It is an error if it differs from a written key, or
// from the classes or the dictionary of the data. Only the file decides whether there is an auxiliary
// head, which the measurement does not use.
func TestWeights(ctx context.Context, c *config.Config, written map[string]bool, file string, device torch.Device) (result runfolder.TrainResult, err error) {
	return TestWeightsInto(ctx, c, written, file, device, nil)
}

// TestWeightsInto is TestWeights that also keeps what the network says of each image in p, unless p is nil.
func TestWeightsInto(ctx context.Context, c *config.Config, written map[string]bool, file string, device torch.Device, p *Predictions) (result runfolder.TrainResult, err error) {
	of := *c
	err = model.WithWeights(file, func(w model.StoredWeights) error {
		of.Network.Auxiliary = slices.ContainsFunc(w.Names, func(name string) bool { return strings.HasPrefix(name, w.Prefix+model.AuxiliaryHead) })
		return nil
	})
	if err != nil {
		return result, err
	}
	about, said, err := described(file)
	if err != nil {
		return result, err
	}
	r := &nas.Run{Config: &of, Device: device}
	if said {
		if err := adopt(r, about, written); err != nil {
			return result, fmt.Errorf("nas: weights %s: %w", names.Escape(file), err)
		}
	}
	g, err := runfolder.GenotypeOf(&of)
	if err != nil {
		return result, err
	}
	if err := r.Open(false); err != nil {
		return result, err
	}
	if said {
		if err := adoptNormalisation(r, about, written["data.mean"] || written["data.std"]); err != nil {
			return result, fmt.Errorf("nas: weights %s: %w", names.Escape(file), err)
		}
	}
	return measureWeights(r, ctx, g, file, p)
}

// described returns the description in a file of weights; there is false if it has none, as files of
// other programs.
func described(file string) (d model.Description, there bool, err error) {
	if filepath.Ext(file) != ".safetensors" {
		return d, false, nil
	}
	st, err := model.OpenWeights(file)
	if err != nil {
		return d, false, err
	}
	defer st.Close()
	text, there := st.Metadata()[model.DescriptionKey]
	if !there {
		return d, false, nil
	}
	if err = json.Unmarshal([]byte(text), &d); err == nil && d.Units == 0 {
		err = d.Check()
	}
	if err != nil {
		return d, true, fmt.Errorf("nas: weights %s: metadata %q: %w", names.Escape(file), model.DescriptionKey, err)
	}
	return d, true, nil
}

// quantisedFrom stands for the network that one in integers was made of, where only its weights are known.
const quantisedFrom = "another network"

// statement is a key of a config and its value in a description of weights.
type statement struct {
	key        string
	own, other any    // in the config, and in the description
	take       func() // replaces the config's value
}

// adopt replaces the keys of the run's config that are not written by the description of the weights,
// with a note for each.
func adopt(r *nas.Run, d model.Description, written map[string]bool) error {
	c := r.Config
	if kind := map[bool]string{true: "a text", false: "images"}; c.Data.IsText() != (d.Units > 0) {
		return fmt.Errorf("they are of %s, data.name %s is %s: want the config of their training", kind[d.Units > 0], c.Data.Name, kind[c.Data.IsText()])
	}
	statements := statementsOf(d, c)
	if q := d.Quantised; q != nil {
		c.Quantise = &config.Quantise{From: quantisedFrom, Method: q.Method, Images: q.Images, Range: q.Range}
	}
	g, err := runfolder.GenotypeOf(c)
	if err != nil {
		return err
	}
	if own, other := g.String(), d.Genotype.String(); own != other {
		statements = append(statements, statement{"genotype", own, other, func() { c.Genotype = other }})
	}
	for _, s := range statements {
		switch {
		case s.own == s.other:
			continue
		case written[s.key]:
			return fmt.Errorf("they are of a network with %s %v, the config or the command line says %v: want the same, or no %[1]s there", s.key, s.other, s.own)
		}
		s.take()
		r.Note("%s is taken from the weights: %v", s.key, s.other)
	}
	return nil
}

// statementsOf returns the statements about c except the genotype's.
func statementsOf(d model.Description, c *config.Config) []statement {
	n := &c.Network
	if d.Units > 0 {
		return []statement{{"network.hidden", n.Hidden, d.Units, func() { n.Hidden = d.Units }}}
	}
	stem := map[bool]string{true: config.ImageNet, false: config.SmallImages}[d.ImageNet]
	all := []statement{
		{"network.channels", n.Channels, d.Channels, func() { n.Channels = d.Channels }},
		{"network.layers", n.Layers, d.Layers, func() { n.Layers = d.Layers }},
		{"network.stem", n.Stem, stem, func() { n.Stem = stem }},
		{"network.stem_multiplier", n.StemMultiplier, d.StemMultiplier, func() { n.StemMultiplier = d.StemMultiplier }},
	}
	left := func(w *genotype.Widths) string {
		if w == nil {
			return ""
		}
		return w.String()
	}
	all = append(all, statement{"pruned.widths", left(c.Widths()), left(d.Widths), func() { c.Pruned = &config.Pruned{Widths: left(d.Widths)} }})
	if set, _ := sets.Find(c.Data.Name); set.Scaled { // other data sets have fixed sizes
		all = append(all,
			statement{"data.size", cmp.Or(c.Data.Size, set.Side), d.Size, func() { c.Data.Size = d.Size }},
			statement{"data.channels", cmp.Or(c.Data.Channels, set.Channels), d.InputChannels, func() { c.Data.Channels = d.InputChannels }})
	}
	return all
}

// adoptNormalisation replaces mean and deviation of the data set by those of the weights, unless the
// user gave them.
func adoptNormalisation(r *nas.Run, d model.Description, written bool) error {
	feed, ok := r.Feed.(*images.Feed)
	if !ok {
		return nil
	}
	m := feed.Set.Train
	if m.Height != d.Size || m.Channels != d.InputChannels {
		return fmt.Errorf("they take images of %dx%dx%d, those of %s are of %dx%dx%d", d.InputChannels, d.Size, d.Size, feed.Set.Name, m.Channels, m.Height, m.Width)
	}
	if slices.Equal(m.Mean, d.Mean) && slices.Equal(m.Std, d.Std) {
		return nil
	}
	if written {
		return fmt.Errorf("their images were normalised by data.mean %v and data.std %v, the config or the command line says %v and %v: want the same, or neither key there", d.Mean, d.Std, m.Mean, m.Std)
	}
	feed.Set.Train.Mean, feed.Set.Train.Std = d.Mean, d.Std
	feed.Set.Test.Mean, feed.Set.Test.Std = d.Mean, d.Std
	r.Feed = images.NewFeed(r.Config, feed.Set, r.Options())
	r.Note("data.mean and data.std are taken from the weights: %v and %v", d.Mean, d.Std)
	return nil
}

// knowsData returns an error if the weights have other classes, or another dictionary, than the data:
// the same numbers would mean different names.
func knowsData(d model.Description, r *nas.Run) error {
	if feed, ok := r.Feed.(*texts.Feed); ok {
		if d.Dictionary != "" && d.Dictionary != feed.Corpus.Dictionary() {
			return fmt.Errorf("they know other words, or in another order, than %s has: want the text that they were trained on", feed.Corpus.Name)
		}
		return nil
	}
	for i := range max(len(d.ClassNames), len(images.Of(r).Images().ClassNames)) {
		of := func(classes []string) string {
			if i >= len(classes) {
				return "none"
			}
			return fmt.Sprintf(`"%s"`, names.Print(classes[i]))
		}
		if own, other := of(d.ClassNames), of(images.Of(r).Images().ClassNames); own != other {
			return fmt.Errorf("they have other classes: class %d of %d is %s, in %s %s of %d", i+1, len(d.ClassNames), own, images.Of(r).Images().Name, other, len(images.Of(r).Images().ClassNames))
		}
	}
	return nil
}

// measureWeights measures weights in the network of g on the data that the run has opened.
func measureWeights(r *nas.Run, ctx context.Context, g genotype.Genotype, file string, p *Predictions) (result runfolder.TrainResult, err error) {
	about, said, err := described(file)
	if err != nil {
		return result, err
	}
	if said {
		if err := knowsData(about, r); err != nil {
			return result, fmt.Errorf("nas: weights %s: %w", names.Escape(file), err)
		}
	}
	result.Genotype, result.Notes = g, r.Notes()
	err = torch.Do(func() error {
		if r.Config.Data.IsText() {
			return testText(r, ctx, file, &result)
		}
		t, err := New(r, g)
		if err != nil {
			return err
		}
		if err := model.LoadWeights(t.Net, file); err != nil {
			return err
		}
		m := p.validate(ctx, r, t.Eval)
		measuredOn(&result, r, m)
		result.Parameters, _ = t.Net.ParameterCount()
		return r.Err()
	})
	return result, err
}
