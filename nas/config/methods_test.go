package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// climbKeys are the keys of a made-up strategy, two of which another strategy has too.
type climbKeys struct {
	Steps  int        `key:"steps" range:"[1,10]" doc:"steps of a climb"`
	Order  string     `key:"order" oneof:"up down" doc:"direction of a climb"`
	Drop   [2]float64 `key:"drop" range:"[0,1]" doc:"least and most of a drop"`
	Slope  slope      `key:"slope"`
	Places []string   `key:"places" oneof:"hill valley" doc:"where to climb"`
}

type slope struct {
	Angle float64 `key:"angle" range:"(0,90)" of:"images" doc:"degrees of a slope"`
}

// register registers a made-up strategy until the test ends.
func register(t *testing.T, m Method) {
	t.Helper()
	before := current.Load()
	t.Cleanup(func() { current.Store(before) })
	Register(m)
}

// climb is a strategy with keys of every kind.
func climb() Method {
	return Method{
		Name: "climb", How: "by climbing", Note: "a test", Texts: true,
		Keys:     climbKeys{Steps: 3, Order: "up", Drop: [2]float64{0, 1}, Slope: slope{45}},
		TextKeys: climbKeys{Steps: 5, Order: "down"},
		Takes:    []string{"network.form"}, Lacks: []string{"w.momentum"},
		Defaults: func(c *Config) { c.Epochs = 7 },
		Rules: func(c *Config) *Problem {
			if k := c.Strategy.Keys.(climbKeys); k.Steps > c.Epochs {
				return Conflict("strategy.steps", "epochs", "%d is more than epochs %d", k.Steps, c.Epochs)
			}
			return nil
		},
		RunEpochs: func(c *Config) int { return c.Epochs + KeysAs[climbKeys](c).Steps },
		Label:     func(c *Config) string { return "climb-" + KeysAs[climbKeys](c).Order },
	}
}

func TestRegister(t *testing.T) {
	// A registered strategy's keys have its defaults, are read, checked and written below strategy, and belong to no other strategy.
	register(t, climb())
	parse := func(text string, set ...string) (*Config, error) {
		return Parse("x.yaml", []byte("experiment: search\n"+text), set...)
	}
	c, err := parse("strategy: {name: climb, steps: 4, slope: {angle: 30}}", "strategy.places=[hill]")
	if err != nil {
		t.Fatal(err)
	}
	want := climbKeys{4, "up", [2]float64{0, 1}, slope{30}, []string{"hill"}}
	if diff := cmp.Diff(want, c.Strategy.Keys); diff != "" {
		t.Error(diff)
	}
	if c.Epochs != 7 || c.RunEpochs() != 11 || c.HasAlpha() || c.FromScratch() || !c.Has("network.form") || c.Has("w.momentum") || c.Has("alpha") {
		t.Errorf("%d epochs, %d in all, %+v", c.Epochs, c.RunEpochs(), c)
	}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	const section = "strategy:\n  name: climb\n  steps: 4\n  order: up\n  drop: [0, 1]\n  slope:\n    angle: 30\n  places: [hill]\ndata:\n"
	if !strings.Contains(string(text), section) {
		t.Errorf("no %s in\n%s", section, text)
	}
	again, err := Parse("y.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again); diff != "" {
		t.Error(diff)
	}
	other, err := parse("strategy: {name: climb}\ndata: {name: ptb}")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(climbKeys{Steps: 5, Order: "down"}, other.Strategy.Keys); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"strategy: {name: climb, steps: 11}":                            "x.yaml:2: strategy.steps: given 11, want [1, 10]",
		"strategy: {name: climb, steps: 8}":                             "x.yaml:2: strategy.steps: 8 is more than epochs 7",
		"strategy: {name: climb, order: 2}":                             "x.yaml:2: strategy.order: given 2, want text (in quotes if it looks like something else)",
		"strategy: {name: darts, order: up}":                            `x.yaml:2: strategy.order: given text "up", want a whole number`,
		"strategy: {name: darts, slope: {}}":                            `x.yaml:2: key "strategy.slope" does not apply to strategy darts, only to climb`,
		"strategy: {name: climb, stepz: 3}":                             `x.yaml:2: unknown key "strategy.stepz" (nearest: "strategy.steps")`,
		"strategy: {name: climb}\nw: {momentum: 0}":                     `x.yaml:3: key "w.momentum" does not apply to strategy climb, only to all others`,
		"data: {name: ptb}\nstrategy: {name: climb, slope: {angle: 3}}": `x.yaml:3: key "strategy.slope.angle" does not apply to texts (data.name ptb), only to images`,
	} {
		if _, err := parse(text); err == nil || err.Error() != "config: "+want {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

func TestNoStrategies(t *testing.T) {
	// A key of a strategy is unknown, and the error says why, when a program registers none; other keys are read.
	before := current.Load()
	t.Cleanup(func() { current.Store(before) })
	current.Store(newTable(nil))
	_, err := Parse("x.yaml", []byte("experiment: search\nstrategy: {order: 2}"))
	want := `config: x.yaml:2: unknown key "strategy.order": no strategy is registered (forgotten import of godarts/nas/search?)`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if c, err := Parse("x.yaml", []byte("experiment: train\nepochs: 3")); err != nil || c.Epochs != 3 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestRegisteredPages(t *testing.T) {
	// Keys, completion, page and schema tell of a registered strategy, and of a key that several have.
	register(t, climb())
	lines := strings.Join(Keys(), "\n")
	for _, want := range []string{
		"strategy.steps ", "climb (a test) by climbing", "degrees of a slope (strategy climb; default 45)",
		"of climb: direction of a climb", "(strategy darts or climb; default 1; of climb up)",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("Keys: no %s", want)
		}
	}
	if got := KeysNamed("order"); !slices.Equal(got, []string{"strategy.order"}) {
		t.Errorf("keys named order: %v", got)
	}
	row := "| `1`, `2`, or `up`, `down` | search by darts, climb | 1; of climb up |\n"
	if !strings.Contains(Reference(), row) {
		t.Errorf("the page has no row with %s", row)
	}
	schema := validator(t)
	for _, text := range []string{"strategy: {order: 2}", "strategy: {order: up}", "strategy: {slope: {angle: 3}}"} {
		if err := valid(t, schema, []byte("experiment: search\n"+text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := valid(t, schema, []byte("experiment: search\nstrategy: {order: 3}")); err == nil {
		t.Error("the schema takes an order that no strategy has")
	}
}

func TestKeysAreValues(t *testing.T) {
	// A copy of a Config keeps its strategy's keys when the other copy's change.
	register(t, climb())
	c := defaultsOf(Search, images, "climb")
	before := *c
	l := newLayers()
	if err := l.addSet("strategy.steps=9", 2); err != nil {
		t.Fatal(err)
	}
	for _, k := range current.Load().keys {
		if k.path == "strategy.steps" {
			if err := k.set(c, l.values[k.path]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := []int{KeysAs[climbKeys](&before).Steps, KeysAs[climbKeys](c).Steps}; !slices.Equal(got, []int{3, 9}) {
		t.Errorf("steps %v, want 3 and 9", got)
	}
	if diff := Diff(&before, c, "before", "now"); !slices.Equal(diff, []string{"strategy.steps: 3 before, 9 now"}) {
		t.Errorf("differences %q", diff)
	}
}

func TestRegisterRefuses(t *testing.T) {
	// Register panics, and changes nothing, when a name is taken or a config cannot have the keys.
	before := current.Load()
	for _, test := range []struct {
		name string
		m    Method
		want string
	}{
		{"a name twice", Method{Name: "darts"}, `strategy "darts": there is one of that name`},
		{"no name", Method{}, `strategy "": want a name without spaces`},
		{"a name of two words", Method{Name: "hill climb"}, "want a name without spaces"},
		{"a pointer", Method{Name: "x", Keys: &climbKeys{}}, "want a struct"},
		{"other keys on texts", Method{Name: "x", Keys: climbKeys{}, TextKeys: slope{}}, "TextKeys are config.slope, Keys config.climbKeys"},
		{"no key", Method{Name: "x", Keys: struct{ Steps int }{}}, "field Steps"},
		{"no meaning", Method{Name: "x", Keys: struct {
			Steps int `key:"steps"`
		}{}}, "no tag doc"},
		{"a range", Method{Name: "x", Keys: struct {
			Steps int `key:"steps" doc:"d" range:"1 to 2"`
		}{}}, "want an interval such as [0,1)"},
		{"an end of a range", Method{Name: "x", Keys: struct {
			Steps int `key:"steps" doc:"d" range:"[one,)"`
		}{}}, `tag range "[one,)"`},
		{"most", Method{Name: "x", Keys: struct {
			Steps int `key:"steps" doc:"d" most:"many"`
		}{}}, `tag most "many"`},
		{"oneof", Method{Name: "x", Keys: struct {
			Steps int `key:"steps" doc:"d" oneof:"one two"`
		}{}}, "tag oneof"},
		{"of", Method{Name: "x", Keys: struct {
			Steps int `key:"steps" doc:"d" of:"videos"`
		}{}}, `tag of "videos"`},
		{"a type", Method{Name: "x", Keys: struct {
			Steps map[string]int `key:"steps" doc:"d"`
		}{}}, "no values of type map[string]int"},
		{"a key twice", Method{Name: "x", Keys: struct {
			Steps int `key:"steps" doc:"d"`
			More  int `key:"steps" doc:"d"`
		}{}}, "key strategy.steps is there already"},
		{"the name's key", Method{Name: "x", Keys: struct {
			Name int `key:"name" doc:"d"`
		}{}}, "key strategy.name is there already"},
		{"a section that is a key elsewhere", Method{Name: "x", Keys: struct {
			Order slope `key:"order"`
		}{}}, "key strategy.order is there already"},
	} {
		got := func() (message string) {
			defer func() { message = fmt.Sprint(recover()) }()
			Register(test.m)
			return
		}()
		if !strings.HasPrefix(got, "config: ") || !strings.Contains(got, test.want) {
			t.Errorf("%s: panic %q, want %q in it", test.name, got, test.want)
		}
		if current.Load() != before {
			t.Errorf("%s: the keys have changed", test.name)
		}
	}
}
