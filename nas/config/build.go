package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sizes are the facts about a data set that keys are checked against: the height and width
// of its images in pixels, and the number of its training images.
var sizes = map[string]struct{ side, train int }{
	CIFAR10: {32, 50000},
	Digits:  {8, 1437},
}

// build turns the overlay into a Config: defaults of the experiment, then every value that
// was written, then what must hold between values. name is blamed for what is missing.
func (l *layers) build(name string) (*Config, error) {
	file := origin{where: printable(name, 200)}
	experiment := keys[0]
	v, ok := l.values[experiment.path]
	if !ok {
		return nil, fmt.Errorf(`config: %v: no key "experiment", want experiment: search, train or repeat`, file)
	}
	probe := &Config{}
	if err := experiment.set(probe, v); err != nil {
		return nil, err
	}
	c := Defaults(probe.Experiment)
	if err := l.checkSections(c.Experiment); err != nil {
		return nil, err
	}
	if _, ok := l.sections["evaluate"]; ok {
		c.Evaluate = evaluateDefaults()
	}
	if err := l.checkRepeat(c.Experiment, file); err != nil {
		return nil, err
	}
	if from, ok := l.sections["expect"]; ok {
		if _, ok := l.values["expect.test_error"]; !ok {
			return nil, fmt.Errorf("config: %v: expect: no test_error, want the published test error in percent", from)
		}
		c.Expect = &Expect{}
	}
	for i := range keys {
		k := &keys[i]
		v, ok := l.values[k.path]
		if !ok {
			continue
		}
		if !applies(k.only, c.Experiment) {
			return nil, notApplicable(v.origin, k.path, k.only, c.Experiment)
		}
		if err := k.set(c, v); err != nil {
			return nil, err
		}
	}
	if err := l.checkTogether(c, file); err != nil {
		return nil, err
	}
	return c, nil
}

// checkSections refuses sections, even empty ones, that the experiment does not have.
func (l *layers) checkSections(experiment string) error {
	paths := make([]string, 0, len(l.sections))
	for p := range l.sections {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		if s := sections[p]; !applies(s.only, experiment) {
			return notApplicable(l.sections[p], p, s.only, experiment)
		}
	}
	return nil
}

func notApplicable(from origin, path, only, experiment string) error {
	if only == "" {
		only = "search or train"
	}
	return fmt.Errorf("config: %v: key %q does not apply to experiment %s, only to %s", from, path, experiment, only)
}

// set decodes v into k's field of c and checks it.
func (k *key) set(c *Config, v located) error {
	field, ok := k.field(c)
	if !ok {
		panic("config: " + k.path + ": set in a section that was not made")
	}
	if want := decode(v.node, field); want != "" {
		return fmt.Errorf("config: %v: %s: given %s, want %s", v.origin, k.path, given(v.node), want)
	}
	if want := k.check(field); want != "" {
		return fmt.Errorf("config: %v: %s: given %s, want %s", v.origin, k.path, shown(field), want)
	}
	return nil
}

// shown is a decoded value in an error.
func shown(field reflect.Value) string {
	if field.Kind() == reflect.String {
		return strconv.Quote(printable(field.String(), 40))
	}
	return format(field)
}

// decode stores the YAML value in field. If it is of another type it returns what is wanted.
//
// Numbers are read here and not by the YAML library, which takes 010 for eight, .inf for a
// number, and 1_0 for ten.
func decode(node *yaml.Node, field reflect.Value) (want string) {
	switch field.Kind() {
	case reflect.String:
		if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!str" {
			return "text (in quotes if it looks like something else)"
		}
		field.SetString(node.Value)
	case reflect.Bool:
		if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!bool" {
			return "true or false"
		}
		field.SetBool(strings.EqualFold(node.Value, "true"))
	case reflect.Int:
		return decodeInt(node, field, math.MaxInt32) // products of sizes then fit an int
	case reflect.Int64:
		return decodeInt(node, field, math.MaxInt64)
	case reflect.Float64:
		return decodeFloat(node, field)
	case reflect.Array:
		const pair = "a list of two numbers"
		if node.Kind != yaml.SequenceNode || len(node.Content) != field.Len() {
			return pair
		}
		for i, n := range node.Content {
			if want := decodeFloat(n, field.Index(i)); want != "" {
				return fmt.Sprintf("%s; number %d is %s", pair, i+1, given(n))
			}
		}
	default:
		panic("config: no decoder for " + field.Type().String())
	}
	return ""
}

func decodeInt(node *yaml.Node, field reflect.Value, limit int64) (want string) {
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!int" && node.ShortTag() != "!!float" {
		return "a whole number"
	}
	n, err := strconv.ParseInt(node.Value, 10, 64)
	switch {
	case err != nil:
		return fmt.Sprintf("a whole number, at most %d, in decimal digits", limit)
	case n > limit || n < -limit:
		return fmt.Sprintf("a whole number, at most %d", limit)
	}
	field.SetInt(n)
	return ""
}

func decodeFloat(node *yaml.Node, field reflect.Value) (want string) {
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!int" && node.ShortTag() != "!!float" {
		return "a number"
	}
	x, err := strconv.ParseFloat(node.Value, 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) || strings.ContainsAny(node.Value, "xX_") {
		return "a finite decimal number"
	}
	field.SetFloat(x + 0) // turns -0 into 0, which is how it reads back
	return ""
}

// check says what is wanted of a value of the right type, nothing if it is good.
func (k *key) check(field reflect.Value) (want string) {
	switch {
	case len(k.oneOf) > 0 && !slices.Contains(k.oneOf, format(field)):
		return strings.Join(k.oneOf, " or ")
	case k.nonEmpty && strings.TrimSpace(field.String()) == "":
		return "text"
	case k.interval == nil:
		return ""
	}
	var numbers []float64
	switch field.Kind() {
	case reflect.Int, reflect.Int64:
		numbers = []float64{float64(field.Int())}
	case reflect.Float64:
		numbers = []float64{field.Float()}
	case reflect.Array:
		numbers = []float64{field.Index(0).Float(), field.Index(1).Float()}
	}
	for _, x := range numbers {
		if k.interval.contains(x) {
			continue
		}
		want := k.interval.String()
		if k.why != "" {
			want += ": " + k.why
		}
		if len(numbers) > 1 {
			want = "two numbers in " + want
		}
		return want
	}
	if k.even != "" && field.Int()%2 != 0 {
		return "an even number: " + k.even
	}
	return ""
}

// checkTogether checks what must hold between keys, blaming the one written last.
func (l *layers) checkTogether(c *Config, file origin) error {
	if c.Experiment == Repeat {
		return nil // its keys are independent
	}
	if err := l.checkSubset(c, file); err != nil {
		return err
	}
	if err := l.checkW("w", c.W, c.Network.Dtype, file); err != nil {
		return err
	}
	if err := l.checkImages(c.Data.Name, "data.cutout", c.Data.Cutout, "network.auxiliary", c.Network.Auxiliary, file); err != nil {
		return err
	}
	if c.Experiment == Search {
		if err := l.checkHVP(c, file); err != nil {
			return err
		}
	}
	if e := c.Evaluate; e != nil {
		if err := l.checkW("evaluate.w", e.W, c.Network.Dtype, file); err != nil {
			return err
		}
		return l.checkImages(c.Data.Name, "evaluate.cutout", e.Cutout, "evaluate.network.auxiliary", e.Network.Auxiliary, file)
	}
	return nil
}

func (l *layers) checkSubset(c *Config, file origin) error {
	images := sizes[c.Data.Name].train
	if c.Data.Subset > images {
		return fmt.Errorf("config: %v: data.subset: %d is more than the %d training images of %s, want at most that, or 0 for all",
			l.blame(file, "data.subset", "data.name"), c.Data.Subset, images, c.Data.Name)
	}
	rest := "alpha"
	if c.Experiment == Train {
		if c.Data.TrainPortion == 1 {
			return nil // the test images validate
		}
		rest = "validation"
	}
	if c.Data.Subset > 0 {
		images = c.Data.Subset
	}
	// The first floor(portion·images) train the weights, as the authors' code splits.
	if weights := int(c.Data.TrainPortion * float64(images)); weights == 0 || weights == images {
		return fmt.Errorf("config: %v: data.train_portion: %v of %d images leaves %d for the weights and %d for %s, want at least 1 for each",
			l.blame(file, "data.train_portion", "data.subset", "data.name"), c.Data.TrainPortion, images, weights, images-weights, rest)
	}
	return nil
}

func (l *layers) checkW(path string, w W, dtype string, file origin) error {
	if w.Precision == BF16 && dtype != Float32 {
		return fmt.Errorf("config: %v: %s.precision: bf16 has no effect on network.dtype %s, want full, or float32 there",
			l.blame(file, path+".precision", "network.dtype"), path, dtype)
	}
	if w.LRMin <= w.LR {
		return nil
	}
	return fmt.Errorf("config: %v: %s.lr_min: %v is above %s.lr %v, want at most that",
		l.blame(file, path+".lr_min", path+".lr"), path, w.LRMin, path, w.LR)
}

// checkHVP refuses settings of the Hessian-vector product that cannot be met or have no effect.
func (l *layers) checkHVP(c *Config, file origin) error {
	h, standard := c.Alpha.HVP, searchDefaults().Alpha.HVP
	refuse := func(key, other, what string) error {
		return fmt.Errorf("config: %v: %s: %s", l.blame(file, key, other), key, what)
	}
	const method, radius, order = "alpha.hvp.method", "alpha.hvp.radius", "strategy.order"
	switch {
	case c.Strategy.Order == 1 && h.Method != standard.Method:
		return refuse(method, order, h.Method+" has no effect with strategy.order 1, want strategy.order 2")
	case c.Strategy.Order == 1 && h.Radius != standard.Radius:
		return refuse(radius, order, fmt.Sprintf("%v has no effect with strategy.order 1, want strategy.order 2", h.Radius))
	case h.Method != Exact:
		return nil
	case h.Radius != standard.Radius:
		return refuse(radius, method, fmt.Sprintf("%v has no effect with alpha.hvp.method exact, want alpha.hvp.method %s", h.Radius, FiniteDifference))
	}
	return nil
}

// checkImages checks what depends on the size of the data set's images.
func (l *layers) checkImages(data, cutoutKey string, cutout int, auxiliaryKey string, auxiliary bool, file origin) error {
	side := sizes[data].side
	if cutout > side {
		return fmt.Errorf("config: %v: %s: %d is wider than the %dx%d images of %s, want at most %d",
			l.blame(file, cutoutKey, "data.name"), cutoutKey, cutout, side, side, data, side)
	}
	// The head pools 5x5 and then convolves 2x2 what two reductions leave: 8x8 of 32x32.
	if auxiliary && side != 32 {
		return fmt.Errorf("config: %v: %s: the auxiliary head needs 32x32 images, those of %s are %dx%d, want false",
			l.blame(file, auxiliaryKey, "data.name"), auxiliaryKey, data, side, side)
	}
	return nil
}
