package nas

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/names"
	"godarts/nas/runfolder"
	"godarts/torch"
)

// TestWeights measures weights from elsewhere, see ReadWeights, in the network of the
// training c on the test images or text. written are the keys that c has from its user.
//
// What the file says of its network and its images, if this program wrote it, takes the
// place of keys that are not written, which the result's notes tell. It is an error where
// it differs from one that is, or from the classes or the dictionary of the data. Whether
// there is an auxiliary head, which the measurement has no use for, the file alone says.
func TestWeights(ctx context.Context, c *config.Config, written map[string]bool, file string, device torch.Device) (result runfolder.TrainResult, err error) {
	of := *c
	err = withWeights(file, func(w storedWeights) error {
		of.Network.Auxiliary = slices.ContainsFunc(w.names, func(name string) bool { return strings.HasPrefix(name, w.prefix+auxiliaryHead) })
		return nil
	})
	if err != nil {
		return result, err
	}
	about, said, err := described(file)
	if err != nil {
		return result, err
	}
	r := &Run{Config: &of, Device: device}
	if said {
		if err := r.adopt(about, written); err != nil {
			return result, fmt.Errorf("nas: weights %s: %w", names.Escape(file), err)
		}
	}
	g, err := runfolder.GenotypeOf(&of)
	if err != nil {
		return result, err
	}
	adopted := r.notes
	if err := r.open(); err != nil {
		return result, err
	}
	r.notes = adopted // what there is to say of the data a training says
	if said {
		if err := r.adoptNormalisation(about, written["data.mean"] || written["data.std"]); err != nil {
			return result, fmt.Errorf("nas: weights %s: %w", names.Escape(file), err)
		}
	}
	return r.measureWeights(ctx, g, file)
}

// described is what a file of weights says of its network; there is false if it says
// nothing, as files of other programs.
func described(file string) (d description, there bool, err error) {
	if filepath.Ext(file) != ".safetensors" {
		return d, false, nil
	}
	st, err := openWeights(file)
	if err != nil {
		return d, false, err
	}
	defer st.Close()
	text, there := st.Metadata()[descriptionKey]
	if !there {
		return d, false, nil
	}
	if err = json.Unmarshal([]byte(text), &d); err == nil && d.Units == 0 {
		err = d.check()
	}
	if err != nil {
		return d, true, fmt.Errorf("nas: weights %s: metadata %q: %w", names.Escape(file), descriptionKey, err)
	}
	return d, true, nil
}

// statement is a key of a config beside what weights say of it.
type statement struct {
	key        string
	own, other any    // in the config and of the weights
	take       func() // puts what the weights say in the config
}

// adopt puts what the weights say in the place of keys of the run's config that are not
// written, and notes it.
func (r *Run) adopt(d description, written map[string]bool) error {
	c := r.Config
	if kind := map[bool]string{true: "a text", false: "images"}; c.Data.IsText() != (d.Units > 0) {
		return fmt.Errorf("they are of %s, data.name %s is %s: want the config of their training", kind[d.Units > 0], c.Data.Name, kind[c.Data.IsText()])
	}
	statements := d.statements(c)
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
		r.note("%s is that of the weights: %v", s.key, s.other)
	}
	return nil
}

// statements are those about c, but for the genotype.
func (d description) statements(c *config.Config) []statement {
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
	if c.Data.Name == config.ImageFolder || c.Data.Name == config.Synthetic { // others have sizes of their own
		const usualSide, usualChannels = 32, 3
		all = append(all,
			statement{"data.size", cmp.Or(c.Data.Size, usualSide), d.Size, func() { c.Data.Size = d.Size }},
			statement{"data.channels", cmp.Or(c.Data.Channels, usualChannels), d.InputChannels, func() { c.Data.Channels = d.InputChannels }})
	}
	return all
}

// adoptNormalisation puts mean and deviation of the weights in the place of the data
// set's, unless the config's are written.
func (r *Run) adoptNormalisation(d description, written bool) error {
	if r.Set == nil {
		return nil
	}
	m := r.Set.Train
	if m.Height != d.Size || m.Channels != d.InputChannels {
		return fmt.Errorf("they take images of %dx%dx%d, those of %s are of %dx%dx%d", d.InputChannels, d.Size, d.Size, r.Set.Name, m.Channels, m.Height, m.Width)
	}
	if slices.Equal(m.Mean, d.Mean) && slices.Equal(m.Std, d.Std) {
		return nil
	}
	if written {
		return fmt.Errorf("their images were normalised by data.mean %v and data.std %v, the config or the command line says %v and %v: want the same, or neither key there", d.Mean, d.Std, m.Mean, m.Std)
	}
	r.Set.Train.Mean, r.Set.Train.Std = d.Mean, d.Std
	r.Set.Test.Mean, r.Set.Test.Std = d.Mean, d.Std
	r.feed = newImageFeed(r.Config, r.Set, r.options())
	r.note("data.mean and data.std are those of the weights: %v and %v", d.Mean, d.Std)
	return nil
}

// knows is an error if the weights tell other classes, or other words, apart than the
// data has: numbers would stand for other names.
func (d description) knows(r *Run) error {
	if r.Corpus != nil {
		if d.Dictionary != "" && d.Dictionary != r.Corpus.Dictionary() {
			return fmt.Errorf("they know other words, or in another order, than %s has: want the text that they were trained on", r.Corpus.Name)
		}
		return nil
	}
	for i := range max(len(d.ClassNames), len(r.Set.ClassNames)) {
		of := func(classes []string) string {
			if i >= len(classes) {
				return "none"
			}
			return fmt.Sprintf(`"%s"`, names.Print(classes[i]))
		}
		if own, other := of(d.ClassNames), of(r.Set.ClassNames); own != other {
			return fmt.Errorf("they tell other classes apart: class %d of %d is %s, in %s %s of %d", i+1, len(d.ClassNames), own, r.Set.Name, other, len(r.Set.ClassNames))
		}
	}
	return nil
}

// measureWeights measures weights in the network of g on the data that the run has opened.
func (r *Run) measureWeights(ctx context.Context, g genotype.Genotype, file string) (result runfolder.TrainResult, err error) {
	about, said, err := described(file)
	if err != nil {
		return result, err
	}
	if said {
		if err := about.knows(r); err != nil {
			return result, fmt.Errorf("nas: weights %s: %w", names.Escape(file), err)
		}
	}
	result.Genotype, result.Notes = g, r.notes
	err = torch.Do(func() error {
		if r.Config.Data.IsText() {
			return r.testText(ctx, file, &result)
		}
		t, err := newTrainer(r, g)
		if err != nil {
			return err
		}
		if err := loadWeights(t.net, file); err != nil {
			return err
		}
		m := r.Validate(ctx, 0, t.eval)
		measuredOn(&result, r, m)
		result.Parameters, _ = t.net.ParameterCount()
		return r.Err()
	})
	return result, err
}
