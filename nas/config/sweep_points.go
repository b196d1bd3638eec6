package config

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"

	"godarts/nas/config/axes"
	"godarts/nas/config/document"
	"godarts/nas/names"
	"godarts/nas/rng"
)

// SweepPlan is a sweep with its base and its runs.
type SweepPlan struct {
	Sweep  *Config
	Base   *Config
	Points []Point
}

// Point is what the runs of a sweep with one choice of keys have in common.
type Point struct {
	Settings []axes.Choice
	Runs     []*Config // by seed
}

// maxRuns bounds the runs of a sweep.
const maxRuns = 10000

// baseItems is the start of items that change the base of a sweep: "base.epochs=3".
const baseItems = "base"

// LoadSweep reads the sweep at path as Load does, and makes its runs. Items of set that begin with "base." change
// the base. The runs have no published figures, which hold for one choice of keys.
func LoadSweep(path string, set ...string) (*SweepPlan, error) {
	path = find(path)
	items := itemsOf(set, baseItems)
	c, err := Load(path, items[""]...)
	if err != nil {
		return nil, err
	}
	s := &SweepPlan{Sweep: c}
	if c.Experiment != Sweep {
		return s, nil
	}
	wrong := func(format string, a ...any) error {
		return fmt.Errorf("config: %s: %s", names.Print(path), fmt.Sprintf(format, a...))
	}
	if c.Base == "" {
		return nil, wrong("base: none, want the file of a search or train experiment")
	}
	file := beside(path, c.Base)
	base, err := overlay(file, items[baseItems])
	if err == nil {
		s.Base, err = base.checked(file)
	}
	if err != nil {
		return nil, wrong("base: %v", err)
	}
	s.Base.Expect = nil
	if s.Base.Experiment != Search && s.Base.Experiment != Train {
		return nil, wrong("base: %s is a %s experiment, want a search or train experiment", names.Print(file), s.Base.Experiment)
	}
	if rungs := c.Halving.Rungs; len(rungs) > 1 && s.Base.Experiment == Train && !s.Base.Data.IsText() && s.Base.Data.TrainPortion == 1 {
		return nil, wrong("halving: %s has data.train_portion 1, want less: runs are compared on the training images that they hold out", names.Print(file))
	}
	points, err := c.points(path)
	if err != nil {
		return nil, err
	}
	seeds := c.Seeds.Of(s.Base.Seed)
	if runs := len(points) * len(seeds); runs > maxRuns {
		return nil, wrong("keys: %d runs with the seeds, want at most %d", runs, maxRuns)
	}
	for _, settings := range points {
		p := Point{Settings: settings}
		for _, seed := range seeds {
			run, err := c.run(path, file, base.clone(), settings, seed)
			if err != nil {
				return nil, err
			}
			p.Runs = append(p.Runs, run)
		}
		s.Points = append(s.Points, p)
	}
	return s, nil
}

// Experiments returns the configs of s as its folder has them.
func (s *SweepPlan) Experiments() []Experiment {
	c := *s.Sweep
	c.Base = baseItems + extension
	return []Experiment{{Sweep, &c}, {baseItems, s.Base}}
}

// Keys returns the keys that differ between the points.
func (s *SweepPlan) Keys() (keys []string) {
	for _, p := range s.Points {
		for _, it := range p.Settings {
			keys = union(keys, []string{it.Key})
		}
	}
	return keys
}

// run returns the config of a run: base under settings. Errors name their lines in the file of the sweep.
func (c *Config) run(path, file string, base *layers, settings []axes.Choice, seed int64) (*Config, error) {
	rank := 0
	for _, v := range base.values {
		rank = max(rank, v.rank)
	}
	add := func(it axes.Choice) error {
		rank++
		from := origin{where: names.Print(path), line: it.Line, rank: rank}
		if it.Key == "" || it.Key == "extends" || !isKey(it.Key) {
			return unknown(from, it.Key)
		}
		return base.add(it.Key, document.FromLine(it.Value, it.Line), from)
	}
	instead := map[string]string{"seed": "seeds", "experiment": "base"}
	if len(c.Halving.Rungs) > 0 {
		instead["epochs"] = "halving.rungs"
	}
	for _, it := range settings {
		if place := instead[it.Key]; place != "" {
			return nil, fmt.Errorf("config: %s:%d: keys: %s belongs in %s", names.Print(path), it.Line, it.Key, place)
		}
		if err := add(it); err != nil {
			return nil, err
		}
	}
	if err := add(axes.Choice{Key: "seed", Value: strconv.FormatInt(seed, 10)}); err != nil {
		return nil, err
	}
	if rungs := c.Halving.Rungs; len(rungs) > 0 {
		if err := add(axes.Choice{Key: "epochs", Value: strconv.Itoa(rungs[len(rungs)-1])}); err != nil {
			return nil, err
		}
	}
	if err := base.resolveTraining(); err != nil {
		return nil, err
	}
	run, err := base.checked(file)
	if err != nil {
		return nil, err
	}
	run.Expect = nil
	return run, nil
}

// points returns the settings of each point: the listed ones, all combinations, or random draws.
func (c *Config) points(path string) ([][]axes.Choice, error) {
	wrong := func(line int, format string, a ...any) error {
		return fmt.Errorf("config: %v: %s", origin{where: names.Print(path), line: line}, fmt.Sprintf(format, a...))
	}
	keys, combinations := c.Keys, 1
	for _, a := range keys.Grid {
		switch {
		case len(a.Values) > 0:
			combinations = min(combinations*len(a.Values), maxRuns+1)
		case c.Draws == 0:
			return nil, wrong(a.Line, "keys.%s: a range without draws, want a list, or draws: N", a.Key)
		default:
			combinations = math.MaxInt32
		}
	}
	switch {
	case len(keys.List) > 0 && c.Draws > 0:
		return nil, wrong(0, "draws: has no effect on a list of runs, want 0")
	case len(keys.List) > 0:
		return keys.List, nil
	case len(keys.Grid) == 0:
		return [][]axes.Choice{nil}, nil
	case c.Draws > combinations:
		return nil, wrong(0, "draws: %d of %d combinations, want at most that, or 0 for all", c.Draws, combinations)
	case c.Draws > 0:
		points := drawPoints(keys.Grid, c.Draws, c.Seed)
		if len(points) < c.Draws {
			return nil, wrong(0, "draws: %d, but keys have only about %d combinations, want at most that", c.Draws, len(points))
		}
		return points, nil
	case combinations > maxRuns:
		return nil, wrong(0, "keys: more than %d combinations, want fewer, or draws: N", maxRuns)
	}
	points := [][]axes.Choice{nil}
	for _, a := range keys.Grid {
		var longer [][]axes.Choice
		for _, p := range points {
			for _, v := range a.Values {
				longer = append(longer, append(slices.Clone(p), axes.Choice{Key: a.Key, Value: v, Line: a.Line}))
			}
		}
		points = longer
	}
	return points, nil
}

// drawPoints returns n different random points; fewer if there seem to be no more.
func drawPoints(grid []axes.Axis, n int, seed int64) (points [][]axes.Choice) {
	random, seen := rng.Stream(seed, "sweep"), map[string]bool{}
	for tries := 0; len(points) < n && tries < 100*n; tries++ {
		var point []axes.Choice
		for _, axis := range grid {
			point = append(point, axes.Choice{Key: axis.Key, Value: drawValue(axis, random), Line: axis.Line})
		}
		if name := fmt.Sprint(point); !seen[name] {
			seen[name] = true
			points = append(points, point)
		}
	}
	return points
}

// drawValue returns a random value: of a range a number of four digits, whole for a key of whole numbers.
func drawValue(a axes.Axis, random *rand.Rand) string {
	if len(a.Values) > 0 {
		return a.Values[random.IntN(len(a.Values))]
	}
	x := a.From + random.Float64()*(a.To-a.From)
	if a.Log {
		x = a.From * math.Pow(a.To/a.From, random.Float64())
	}
	for _, k := range current.Load().keys {
		if k.path == a.Key && (k.kind.Kind() == reflect.Int || k.kind.Kind() == reflect.Int64) {
			return strconv.FormatFloat(math.Round(x), 'f', 0, 64)
		}
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}
