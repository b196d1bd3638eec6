package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"godarts/nas"
	"godarts/nas/config"
	"godarts/nas/finite"
	"godarts/nas/images"
	"godarts/nas/names"
	"godarts/nas/prune"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/nas/wholefile"
)

// Compression says what is made of trained networks to make them smaller and faster.
type Compression struct {
	Runs          []string  `json:"runs"`           // trained runs of one recipe, which differ in their seeds
	MultiplyAdds  []float64 `json:"multiply_adds"`  // of pruned networks, in percent of the trained ones
	By            string    `json:"by"`             // as prune.Options.By
	Multiple      int       `json:"multiple"`       // as prune.Options.Multiple
	Epochs        int       `json:"epochs"`         // of the training after pruning, as prune.Options.Epochs
	Range         string    `json:"range"`          // of integers, as train.QuantiseOptions.Range
	IntegerEpochs int       `json:"integer_epochs"` // of the training in integers; 0 for no such part
	Scaled        bool      `json:"scaled"`         // also networks of fewer channels, trained from fresh weights
}

// calibrated is how networks in integers choose their scales.
var calibrated = train.QuantiseOptions{Method: "mse", Images: 512}

// compression is the plan of a Compression.
type compression struct {
	*plan
	of      Compression
	recipes []*config.Config // of its runs
	rows    []compressed
	cuts    map[string]cut // by part
}

// cut is what a part prunes before it trains.
type cut struct {
	from string
	prune.Options
}

// compressed is a row of the table: networks that are made in one way of all runs.
type compressed struct {
	name     string
	parts    []string // names by run; those of the trained runs are no parts of the plan
	integers bool
}

// Compress makes smaller networks of trained ones in the folder dir, a part for each way and run, measures them beside
// these, and writes the tables.
func Compress(ctx context.Context, dir string, of Compression, m CompressionSettings) (CompressionResult, error) {
	p := &compression{plan: newPlan("compression", dir, nil, m.Settings), of: of, cuts: map[string]cut{}}
	if err := p.prepare(); err != nil {
		return CompressionResult{}, err
	}
	p.experiments, p.inspected = []config.Experiment{{Name: "trained", Config: p.recipes[0]}}, p.recipes[:1]
	var err error
	if p.own, err = finite.Indented(p.of); err != nil {
		return CompressionResult{}, err
	}
	p.run = p.cutAndTrain
	p.list()
	if err := p.complete(ctx); err != nil {
		return CompressionResult{}, err
	}
	return p.report(ctx, m)
}

// ReadCompression reads what the compression in dir makes.
func ReadCompression(dir string) (of Compression, err error) {
	if !runfolder.Has(filepath.Join(dir, runfolder.ProtocolConfigFolder), ownFile) {
		return of, fmt.Errorf("nas: %s is no folder of a compression: want one that `darts compress` made", names.Escape(dir))
	}
	err = runfolder.ReadJSON(filepath.Join(dir, runfolder.ProtocolConfigFolder, ownFile), &of)
	return of, err
}

// prepare reads the recipes and checks all that can be checked before the first part begins.
func (p *compression) prepare() error {
	seeds := map[int64]string{}
	p.of.Runs = slices.Clone(p.of.Runs)
	for i, dir := range p.of.Runs {
		whole, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("nas: compress: %w", err)
		}
		p.of.Runs[i] = whole
		if !runfolder.Finished(whole) {
			return fmt.Errorf("nas: compress: %s is no complete training: want the folder of one", names.Escape(dir))
		}
		c, err := runfolder.ReadConfig(whole)
		if err != nil {
			return err
		}
		if c.Experiment != config.Train {
			return fmt.Errorf("nas: compress: %s is a %s, want a training", names.Escape(dir), c.Experiment)
		}
		if other, twice := seeds[c.Seed]; twice {
			return fmt.Errorf("nas: compress: %s and %s have the same seed %d: want one run of each seed", names.Escape(other), names.Escape(dir), c.Seed)
		}
		seeds[c.Seed] = dir
		if i > 0 {
			again := *c
			again.Seed = p.recipes[0].Seed
			if differences := runfolder.Differences(p.recipes[0], &again, "in "+p.of.Runs[0], "in "+dir); differences != "" {
				return fmt.Errorf("nas: compress: the runs have different recipes: %s; want runs that differ in their seed only", differences)
			}
		}
		p.recipes = append(p.recipes, c)
		if _, err := train.QuantisedConfig(whole, p.integers(0)); err != nil {
			return err
		}
		for _, share := range p.of.MultiplyAdds {
			if err := prune.Check(whole, p.pruning(share)); err != nil {
				return err
			}
			if p.of.Scaled {
				if _, err := scaled(c, share); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// pruning returns the options of pruning to a share in percent.
func (p *compression) pruning(share float64) prune.Options {
	return prune.Options{By: p.of.By, Share: share / 100, Epochs: p.of.Epochs, Multiple: p.of.Multiple, Device: p.settings.Device}
}

// integers returns the options of a network in integers that is trained for so many epochs.
func (p *compression) integers(epochs int) train.QuantiseOptions {
	o := calibrated
	o.Range, o.Epochs = p.of.Range, epochs
	return o
}

// list lists the parts, and the rows of the table.
func (p *compression) list() {
	trained := p.row("trained", false)
	var pruned []compressed
	for _, share := range p.of.MultiplyAdds {
		row := p.row("pruned-"+percents(share), false)
		pruned = append(pruned, row)
		for i, name := range row.parts {
			p.cuts[name] = cut{p.of.Runs[i], p.pruning(share)}
			p.add(name, nil, func() (*config.Config, error) {
				return prune.ConfigAt(p.of.Runs[i], p.file(name, runfolder.StartFile), p.pruning(share))
			})
		}
	}
	if p.of.Scaled {
		for _, share := range p.of.MultiplyAdds {
			for i, name := range p.row("scaled-"+percents(share), false).parts {
				p.add(name, nil, func() (*config.Config, error) { return scaled(p.recipes[i], share) })
			}
		}
	}
	p.addIntegers("int8", trained, 0)
	if p.of.IntegerEpochs > 0 {
		p.addIntegers("int8-trained", trained, p.of.IntegerEpochs)
	}
	for _, row := range pruned {
		p.addIntegers(row.name+"-int8", row, 0)
	}
}

// addIntegers lists the parts of a row that computes the networks of another one in integers.
func (p *compression) addIntegers(name string, of compressed, epochs int) {
	for i, part := range p.row(name, true).parts {
		from, after := p.dirOf(of, i), []string(nil)
		if of.name != "trained" {
			after = of.parts[i : i+1]
		}
		p.add(part, after, func() (*config.Config, error) {
			if !runfolder.Finished(from) { // it has diverged
				return nil, nil
			}
			return train.QuantisedConfig(from, p.integers(epochs))
		})
	}
}

func (p *compression) add(name string, after []string, of func() (*config.Config, error)) {
	p.parts = append(p.parts, part{name: name, after: after, config: of})
}

// row adds a row to the table. Of each run it has a part, whose name ends in its seed.
func (p *compression) row(name string, integers bool) compressed {
	r := compressed{name: name, integers: integers}
	for _, c := range p.recipes {
		r.parts = append(r.parts, fmt.Sprintf("%s-seed-%d", name, c.Seed))
	}
	p.rows = append(p.rows, r)
	return r
}

// dirOf returns the run folder of a row's network of a run.
func (p *compression) dirOf(r compressed, run int) string {
	if r.name == "trained" {
		return p.of.Runs[run]
	}
	return p.file(r.parts[run])
}

func percents(share float64) string { return strconv.FormatFloat(share, 'g', -1, 64) }

// scaled returns the training c with the most channels that have at most a share of its multiply-adds, in percent.
func scaled(c *config.Config, share float64) (*config.Config, error) {
	sizes, err := images.Sizes(c)
	if err != nil {
		return nil, err
	}
	g, err := images.TrainedCell(c)
	if err != nil {
		return nil, err
	}
	_, whole := images.NetworkOptions(c, sizes).Count(g)
	smaller := *c
	smaller.Expect = nil
	for smaller.Network.Channels--; smaller.Network.Channels > 0; smaller.Network.Channels-- {
		o := images.NetworkOptions(&smaller, sizes)
		if o.Check(g) != nil { // reductions want an even number
			continue
		}
		if _, adds := o.Count(g); float64(adds) <= share/100*float64(whole) {
			return &smaller, nil
		}
	}
	return nil, fmt.Errorf("nas: compress: no network of this cell has %v %% of the multiply-adds: leave --scaled out", share)
}

// cutAndTrain works on a part. One that prunes first writes what is left to its folder: the file tells other processes,
// and this one after a kill, that this is done.
func (p *compression) cutAndTrain(ctx context.Context, name string, c *config.Config, s nas.Settings) error {
	cut, prunes := p.cuts[name]
	file := p.file(name, runfolder.StartFile)
	if prunes && !runfolder.Has(p.file(name), runfolder.StartFile) {
		pruned, err := prune.Network(ctx, cut.from, cut.Options)
		if err != nil {
			return err
		}
		if err := s.Guard(); err != nil {
			return err
		}
		if err := p.wrong(wholefile.MakeFolder(p.file(name))); err != nil {
			return err
		}
		if err := runfolder.Write(file, pruned.Weights); err != nil {
			return err
		}
		if c, err = prune.ConfigAt(cut.from, file, cut.Options); err != nil {
			return err
		}
	}
	return p.runHere(ctx, name, c, s)
}

// sameSettings returns an error if the settings of a plan's folder, in JSON, are not those given.
func sameSettings(own, given []byte) error {
	if bytes.Equal(own, given) {
		return nil
	}
	var a, b map[string]any
	if err := errors.Join(json.Unmarshal(own, &a), json.Unmarshal(given, &b)); err != nil {
		return err
	}
	var differences []string
	for key := range b {
		if x, y := fmt.Sprint(a[key]), fmt.Sprint(b[key]); x != y {
			differences = append(differences, fmt.Sprintf("%s: %s in its %s, %s given", key, x, ownFile, y))
		}
	}
	slices.Sort(differences)
	if len(differences) == 0 {
		return errors.New("the file has been changed")
	}
	return errors.New(strings.Join(differences, "; "))
}
