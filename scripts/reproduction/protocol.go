package main

import (
	"bytes"
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"godarts/cells/draw"
	"godarts/cells/genotype"
	"godarts/nas/config"
	"godarts/nas/figure"
	"godarts/nas/plan"
	"godarts/nas/record"
	"godarts/nas/report"
	"godarts/nas/runfolder"
	"godarts/nas/search"
)

// protocol is what the folder of a protocol holds.
type protocol struct {
	machine string
	whole   *config.Whole
	paper   string // the config of the paper's protocol that it follows
	other   []string

	searches, briefs, trainings []*record.Run
	result                      *report.Repeat // nil before all parts are complete

	cell   *genotype.Genotype // the one chosen, or, before that, of the first search
	cellOf *record.Run        // the search that found it
}

// read reads the protocol in dir.
func read(dir string) (*protocol, error) {
	if !plan.HoldsProtocol(dir) {
		return nil, fmt.Errorf("%s holds no protocol: there is no %s", dir, plan.WholeConfig(dir))
	}
	whole, err := plan.ReadProtocol(dir)
	if err != nil {
		return nil, err
	}
	p := &protocol{whole: whole}
	if err := p.compare(); err != nil {
		return nil, err
	}
	for _, kind := range []struct {
		pattern string
		runs    *[]*record.Run
	}{{"search-*", &p.searches}, {"brief-*", &p.briefs}, {"train-*", &p.trainings}} {
		if *kind.runs, err = runsOf(dir, kind.pattern); err != nil {
			return nil, err
		}
	}
	if len(p.searches) == 0 {
		return nil, fmt.Errorf("%s: no search has begun", dir)
	}
	if runfolder.Has(dir, runfolder.ResultFile) {
		p.result = &report.Repeat{}
		if err := runfolder.ReadJSON(filepath.Join(dir, runfolder.ResultFile), p.result); err != nil {
			return nil, err
		}
	}
	return p, p.findCell()
}

// compare finds the paper's protocol that p follows, and the keys in which it differs from that.
func (p *protocol) compare() error {
	keys, ok := p.whole.Search.Strategy.Keys.(search.DARTSKeys)
	if !ok {
		return fmt.Errorf("it searches by %s, wanted darts, which the paper's protocol is of", p.whole.Search.Strategy.Name)
	}
	p.paper = "protocol-cifar10-first"
	if keys.Order == 2 {
		p.paper = "protocol-cifar10-second"
	}
	paper, err := config.LoadWhole(p.paper)
	if err != nil {
		return err
	}
	p.other = config.DiffExperiments(paper.Experiments(), p.whole.Experiments(), "there", "here")
	return nil
}

// runsOf reads the runs of dir whose names match a pattern, by their seeds.
func runsOf(dir, pattern string) (all []*record.Run, err error) {
	dirs, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return nil, err
	}
	for _, d := range dirs {
		if !runfolder.HoldsRun(d) {
			continue
		}
		r, err := record.Read(d)
		if err != nil {
			return nil, err
		}
		if len(r.Notes) > 0 {
			return nil, fmt.Errorf("%s", r.Notes[0])
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *record.Run) int { return cmp.Compare(a.Config.Seed, b.Config.Seed) })
	return all, nil
}

// findCell finds the cell to show; none if no epoch is complete.
func (p *protocol) findCell() error {
	p.cellOf = p.searches[0]
	for _, r := range p.searches {
		if p.result != nil && filepath.Base(r.Dir) == p.result.Chosen {
			p.cellOf = r
		}
	}
	if len(p.cellOf.Epochs) == 0 {
		return nil
	}
	g, err := genotype.Parse(p.cellOf.Epochs[len(p.cellOf.Epochs)-1].Genotype)
	if err != nil {
		return err
	}
	p.cell = &g
	return nil
}

// picture is a file of a picture. Its alternative text says what it shows.
type picture struct {
	section   string // of the page
	file, alt string
	content   []byte
}

// pictures draws the curves of the searches and of the trainings, and the cell. Names of files begin with stem.
func (p *protocol) pictures(stem string) (all []picture, err error) {
	for _, set := range []struct {
		section string
		runs    []*record.Run
		kinds   []string
	}{
		{searchSection, p.searches, []string{"accuracy", "loss", "entropy", "skips"}},
		{trainingSection, p.trainings, []string{"accuracy", "loss"}},
	} {
		if !slices.ContainsFunc(set.runs, func(r *record.Run) bool { return len(r.Epochs) > 0 }) {
			continue
		}
		var figures []*figure.Figure
		for _, k := range figure.Kinds {
			if slices.Contains(set.kinds, k.Name) {
				figures = append(figures, k.Draw(figure.Label(set.runs))...)
			}
		}
		content, err := figure.Grid(figures, 2).Encode(".svg", figure.Size{})
		if err != nil {
			return nil, err
		}
		all = append(all, picture{set.section, fmt.Sprintf("%s-%s.svg", stem, set.section), "curves of the " + set.section, content})
	}
	if p.cell == nil {
		return all, nil
	}
	for _, kind := range p.cell.Kinds() {
		var b bytes.Buffer
		if err := draw.SVG(&b, *p.cell.Cell(kind), kind); err != nil {
			return nil, err
		}
		all = append(all, picture{cellSection, fmt.Sprintf("%s-%v.svg", stem, kind), kind.String() + " cell", b.Bytes()})
	}
	return all, nil
}
